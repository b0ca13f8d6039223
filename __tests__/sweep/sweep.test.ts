import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { expectClean } from '../run/step.ts';
import {
  type FakeApiServer,
  type FakeApiServerOptions,
  type Fault,
  replies,
  startFakeApiServer,
} from '../support/fake-api-server.ts';
import { FakeGitHub, github } from '../support/fake-github.ts';
import type { FakeSecret } from '../support/fake-secrets.ts';
import { status } from '../support/kubernetes-replies.ts';
import { RenderedMarkdown } from '../support/rendered-markdown.ts';
import type { StepOptions, StepResult } from '../support/step-runner.ts';
import { makeCertificate } from '../support/test-certificate.ts';
import { type Changes, metadataOf } from './marked.ts';
import { runSweep, startSweep } from './step.ts';

const OWN = '1658821493';
const LONG_AGO = '2026-01-01T00:00:00Z';

let server: FakeApiServer;
let hub: FakeGitHub;
beforeEach(async () => {
  hub = await FakeGitHub.start(OWN);
});
afterEach(async () => {
  await hub[Symbol.asyncDispose]();
  await server.close();
});

const serve = async (options: FakeApiServerOptions = {}) => {
  server = await startFakeApiServer(options);
};

/** A pod on the cluster. Its uid is the server's. */
function pod(name: string, runId: string, changes: Changes = {}) {
  const { uid: _, creationTimestamp: __, ...metadata } = metadataOf(name, runId, changes);
  return server.addPod({ metadata, spec: { containers: [{ name: 'base', image: 'busybox' }] } });
}

const ended = (...ids: string[]) => {
  for (const id of ids) hub.runs.set(id, github.run(id, 'completed', LONG_AGO));
};
const there = () => server.pods.filter(({ removed }) => !removed).map(({ name }) => name);
const deletes = () => server.matching({ method: 'DELETE' });

async function run(inputs: Record<string, string> = {}, more?: StepOptions): Promise<StepResult> {
  const result = await runSweep(hub, { kubeconfig: server.kubeconfig, ...inputs }, more);
  expectClean(result);
  return result;
}

describe('a sweep', () => {
  test('deletes the pods of runs that have ended, and leaves all others', async () => {
    await serve();
    ended('7', '8');
    hub.runs.set('9', github.run('9', 'in_progress', LONG_AGO));
    pod('lost', '7');
    pod('lost-too', '7');
    pod('other', '8');
    pod('active', '9');
    pod('forgotten', '10');
    pod('own', OWN);
    pod('kept', '7', { labels: { lifetime: 'kept' }, annotations: { 'expires-at': '2100-01-01T00:00:00Z' } });
    pod('expired', '9', { labels: { lifetime: 'detached' }, annotations: { 'expires-at': LONG_AGO } });
    pod('forged', '7', { annotations: { nonce: undefined } });
    pod('foreign', '7', { labels: { 'repository-id': '1' } });
    const uids = server.pods.map(({ object }) => object.metadata.uid);

    const result = await run();
    expect(result).toMatchObject({ conclusion: 'success', annotations: [] });
    expect(there()).toEqual(['active', 'own', 'kept', 'forged', 'foreign']);
    const deleted = ['lost', 'lost-too', 'other', 'forgotten', 'expired'];
    expect(result.outputs).toEqual({ state: 'succeeded', deleted: '5', pods: JSON.stringify(deleted) });
    const preconditions = deletes().map(({ body }) => (body as { preconditions: { uid: string } }).preconditions.uid);
    expect(preconditions.sort()).toEqual([0, 1, 2, 4, 7].map(index => uids[index]));
    expect(hub.ids).toEqual([OWN, '7', '8', '9', '10']);
    expect(hub.asked[0]?.authorization).toBe('token ghs_thejobsowntoken');
    expect(result.masks).toContain('ghs_thejobsowntoken');
    expect(result.text).toContain('Namespace default: 9 pods of octo/repo. GitHub is asked about 4 runs.');
    expect(result.text).toMatch(/^Deleted pod lost \(run 7\): its run ended \d+ d ago\.$/m);
    expect(result.text).toMatch(/^Left pod active \(run 9\): its run has not ended \(in_progress\)\.$/m);
    expect(result.text).toMatch(/^Left pod forged: it has no nonce\.$/m);
    expect(result.text).toContain(
      '5 pods deleted, 4 left (1 of a run that has not ended, 1 to be kept for longer, 1 of this run, 1 without the marks of this action).',
    );
    const rows = new RenderedMarkdown(result.summary).rows.map(([name, id, , , verdict]) => [
      name,
      id,
      verdict?.split(' ')[0],
    ]);
    expect(rows.slice(1)).toEqual([
      ...[
        ['lost', '7'],
        ['lost-too', '7'],
        ['other', '8'],
        ['forgotten', '10'],
        ['expired', '9'],
      ].map(row => [...row, 'deleted']),
      ...[
        ['active', '9'],
        ['own', OWN],
        ['kept', '7'],
        ['forged', ''],
      ].map(row => [...row, 'left']),
    ]);
  });

  test('finds nothing to do after another', async () => {
    await serve();
    ended('7');
    pod('lost', '7');
    await run();
    const again = await run();
    expect(again.outputs).toEqual({ state: 'succeeded', deleted: '0', pods: '[]' });
    expect(again.text).toContain('No pod deleted, none left.');
    expect(deletes()).toHaveLength(1);
  });

  test('that is a dry run deletes nothing, and says what it would', async () => {
    await serve();
    ended('7');
    pod('lost', '7');
    const result = await run({ dry_run: 'true' });
    expect(result.outputs).toEqual({ state: 'succeeded', deleted: '0', pods: '["lost"]' });
    expect(result.text).toMatch(/^Would delete pod lost \(run 7\): its run ended /m);
    expect(result.text).toContain('1 pod would be deleted, none left.');
    expect(server.requests.map(({ method }) => method)).toEqual(['GET', 'GET']);
  });

  test('waits for older_than after the run’s end', async () => {
    await serve();
    hub.runs.set('7', github.run('7', 'completed', new Date(Date.now() - 600_000).toISOString()));
    pod('recent', '7');
    expect((await run()).text).toContain('Left pod recent (run 7): its run ended 10 min ago, less than 1 h.');
    expect((await run({ older_than: '5m' })).text).toContain('Deleted pod recent');
  });

  test('does not ask GitHub where no run matters', async () => {
    await serve();
    pod('own', OWN);
    pod('kept', '7', { labels: { lifetime: 'kept' } });
    await run({}, { env: { GITHUB_API_URL: 'http://127.0.0.1:1' } });
    expect(hub.asked).toEqual([]);
  });

  test('asks about a run once, however many pages of pods it has', async () => {
    await serve();
    ended('7');
    for (let index = 0; index < 1100; index++) pod(`p${index}`, '7');
    const result = await run();
    expect(result.outputs).toMatchObject({ deleted: '1100' });
    expect(there()).toEqual([]);
    expect(hub.ids).toEqual([OWN, '7']);
    expect(server.matching({ verb: 'list' })).toHaveLength(3);
  });

  test('leaves a namesake alone that has come in the meantime', async () => {
    await serve();
    ended('7');
    pod('lost', '7');
    server.fault({ match: { verb: 'delete' }, action: { kind: 'answer', reply: replies.wrongUid('lost', 'a', 'b') } });
    expect(await run()).toMatchObject({ conclusion: 'success' });
    expect(there()).toEqual(['lost']);
  });
});

describe('bad inputs', () => {
  test('are named all at once, before anything is asked', async () => {
    await serve();
    const result = await run({ older_than: 'long', dryrun: 'true' });
    expect(result).toMatchObject({ conclusion: 'failure', outputs: { state: 'failed', reason: 'InvalidInput' } });
    expect(result.annotations.map(({ message }) => message)).toEqual([
      expect.stringMatching(
        /^- older_than: expected a time, .*\n- dryrun: this action has no such input\. Did you mean dry_run\?$/s,
      ),
    ]);
    expect(server.requests).toEqual([]);
  });

  test.each(['GITHUB_REPOSITORY', 'GITHUB_REPOSITORY_ID', 'GITHUB_RUN_ID'])('and so is a missing %s', async name => {
    await serve();
    const result = await run({}, { env: { [name]: '' } });
    expect(result.annotations.map(({ message }) => message)).toEqual([
      `${name} is not set, so whose pods to sweep is not known. Run the sweep as a step of a workflow, on GitHub’s own runner: others, such as act, do not set all of it.`,
    ]);
    expect(server.requests).toEqual([]);
  });

  test('a repository’s id that is none selects nothing', async () => {
    await serve();
    const result = await run({}, { env: { GITHUB_REPOSITORY_ID: '1,!kubernetes-pod-step/repository-id' } });
    expect(result.outputs).toMatchObject({ reason: 'InvalidInput' });
    expect(server.requests).toEqual([]);
  });
});

describe('where GitHub does not tell', () => {
  const failed = async (reason: string) => {
    const result = await run();
    expect(result).toMatchObject({
      conclusion: 'failure',
      outputs: { state: 'failed', reason, deleted: '0', pods: '[]' },
    });
    expect(deletes()).toEqual([]);
    return result.annotations.map(({ message }) => message);
  };

  test('for want of rights, nothing is deleted, expired pods neither', async () => {
    await serve();
    hub.instead = github.notFound;
    pod('lost', '7');
    pod('expired', '8', { labels: { lifetime: 'kept' }, annotations: { 'expires-at': LONG_AGO } });
    expect(await failed('Forbidden')).toEqual([
      `With github_token GitHub does not show even this run (octo/repo, ${OWN}), so which runs have ended cannot be known. Nothing was deleted. Give the job \`permissions: actions: read\`.`,
    ]);
  });

  test('as the token is none, nothing is deleted', async () => {
    await serve();
    hub.instead = github.badCredentials;
    pod('lost', '7');
    expect(await failed('Unauthorized')).toEqual([expect.stringContaining('GitHub does not accept github_token')]);
  });

  test('of some runs, their pods are left with a warning, and the others go', async () => {
    await serve();
    ended('7');
    hub.runs.set('8', github.primaryLimit(Date.now() / 1000 + 1800));
    for (const name of ['a', 'b']) pod(name, '7');
    for (const name of ['c', 'd']) pod(name, '8');
    const result = await run();
    expect(result).toMatchObject({ conclusion: 'success', outputs: { deleted: '2', pods: '["a","b"]' } });
    expect(result.annotations.map(({ level, message }) => [level, message])).toEqual([
      [
        'warning',
        '2 pods left, for GitHub does not tell whether their runs have ended: GitHub’s rate limit is used up. The next sweep asks again.',
      ],
    ]);
    expect(there()).toEqual(['c', 'd']);
  });

  test('but through a proxy it does', async () => {
    await serve();
    const folder = mkdtempSync(join(tmpdir(), 'sweep-test-'));
    const certificate = makeCertificate();
    const authority = join(folder, 'ca.pem');
    writeFileSync(authority, certificate.cert);
    const tunnels: string[] = [];
    const proxy = createServer().on('connect', ({ url = '' }, socket) => {
      tunnels.push(url);
      const { port } = new URL(secure.url);
      const upstream = connect(Number(port), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        socket.pipe(upstream).pipe(socket);
      });
      for (const end of [socket, upstream]) end.on('error', () => {});
    });
    await using secure = await FakeGitHub.start(OWN, certificate);
    await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve));
    try {
      secure.runs.set('7', github.run('7', 'completed', LONG_AGO));
      pod('lost', '7');
      const env = {
        GITHUB_API_URL: 'https://localhost:8443/api/v3',
        HTTPS_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
        NODE_EXTRA_CA_CERTS: authority,
      };
      expect((await run({}, { env })).outputs).toMatchObject({ deleted: '1' });
      expect(tunnels[0]).toBe('localhost:8443');
      expect(secure.asked[0]?.url).toMatch(/^\/api\/v3\/repos\/octo\/repo\/actions\/runs\//);
    } finally {
      proxy.closeAllConnections();
      proxy.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('where the cluster refuses', () => {
  const refusing = async (...faults: Fault[]) => {
    await serve();
    ended('7');
    for (const name of ['a', 'b', 'c']) pod(name, '7');
    for (const fault of faults) server.fault(fault);
  };
  const denied = (verb: string, resource = 'pods') =>
    ({ kind: 'answer', reply: replies.forbidden(verb, resource) }) as const;
  const secretsOf = { method: 'GET', path: /\/secrets$/ };

  test.each(['list', 'delete'] as const)('to %s pods, the Role is printed', async verb => {
    await refusing({ match: { verb }, times: 99, action: denied(verb) });
    const result = await run();
    expect(result).toMatchObject({
      conclusion: 'failure',
      outputs: { state: 'failed', reason: 'Forbidden', deleted: '0' },
    });
    expect(result.annotations.map(({ message }) => message)).toEqual([
      `system:serviceaccount:ci:runner may not ${verb} pods in namespace default. Have the Role that the log shows applied, or use credentials that may. A namespace that does not exist is refused in the same way.`,
    ]);
    expect(result.text).toContain('    resources: [pods]\n    verbs: [list, delete]\n---\n');
    expect(there()).toEqual(['a', 'b', 'c']);
  });

  test('a dry run’s Role is one to list', async () => {
    await refusing({ match: { verb: 'list' }, action: denied('list') });
    expect((await run({ dry_run: 'true' })).text).toContain('    resources: [pods]\n    verbs: [list]\n---\n');
  });

  test('to list Secrets, that is said, and the pods go', async () => {
    await refusing({ match: secretsOf, action: denied('list', 'secrets') });
    const result = await run();
    expect(result).toMatchObject({ conclusion: 'success', annotations: [], outputs: { deleted: '3' } });
    expect(result.text).toContain('Secrets are not looked at, for want of the right to list them');
  });

  test('one pod, by a policy, the others go, and the step fails', async () => {
    const refusal = status(403, 'Forbidden', 'admission webhook "guard" denied the request: not this one');
    await refusing({ match: { verb: 'delete', path: /\/b$/ }, action: { kind: 'answer', reply: refusal } });
    const result = await run();
    expect(there()).toEqual(['b']);
    expect(result).toMatchObject({
      conclusion: 'failure',
      outputs: { state: 'failed', deleted: '2', pods: '["a","c"]' },
    });
    expect(result.annotations.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^1 pod could not be deleted\. b: .*not this one/),
    ]);
  });

  test('nothing but is away for a moment, it is waited for', async () => {
    await refusing(
      { match: { verb: 'list' }, action: { kind: 'reset' } },
      { match: { verb: 'delete' }, action: { kind: 'reset' } },
    );
    expect(await run()).toMatchObject({ conclusion: 'success', outputs: { deleted: '3' } });
  });

  test('and stays away, the step fails in its time, and says what was deleted', async () => {
    await refusing({ match: { verb: 'delete' }, after: 1, times: 999, action: { kind: 'reset' } });
    const result = await run({ outage_timeout_seconds: '1' });
    expect(result).toMatchObject({
      conclusion: 'failure',
      outputs: { state: 'failed', reason: 'Unreachable', deleted: '1' },
    });
    expect(result.text).toContain('1 pod deleted, 2 not tried, none left.');
  });
});

test('Secrets whose pod is gone go too, their data unread; those of a pod that is there stay', async () => {
  const { labels = {} } = metadataOf('x', '7');
  const owner = { apiVersion: 'v1', kind: 'Pod' };
  const secret = (
    name: string,
    pod?: { name: string; uid: string },
    more: Record<string, string> = {},
  ): FakeSecret => ({
    metadata: {
      ...{ name, uid: `uid-of-${name}`, labels: { ...labels, ...more } },
      ...(pod && { ownerReferences: [{ ...owner, ...pod }] }),
    },
    data: { password: Buffer.from('hunter2').toString('base64') },
  });
  await serve();
  hub.runs.set('7', github.run('7', 'in_progress', LONG_AGO));
  const active = pod('active', '7').object.metadata;
  const unlabelled = pod('unlabelled', '7', { labels: { 'repository-id': undefined } }).object.metadata;
  server.secrets.all.push(
    secret('of-active', { name: 'active', uid: active.uid }),
    secret('of-unlabelled', { name: 'unlabelled', uid: unlabelled.uid }),
    secret('of-namesake', { name: 'active', uid: 'an-older-one' }),
    secret('of-nobody', { name: 'gone', uid: 'gone' }),
    secret('unowned'),
    secret('foreign', { name: 'gone', uid: 'gone' }, { 'kubernetes-pod-step/repository-id': '1' }),
  );
  const names = () => server.secrets.all.map(({ metadata }) => metadata.name);

  const dry = await run({ dry_run: 'true' });
  expect(dry.text).toContain('Would delete Secret of-nobody: its pod is gone.');
  expect(names()).toHaveLength(6);
  const result = await run();
  expect(names()).toEqual(['of-active', 'of-unlabelled', 'unowned', 'foreign']);
  expect(result.text).toContain('Deleted Secret of-namesake: its pod is gone.');
  expect(result.text).toContain('No pod and 2 Secrets deleted, 1 left (1 of a run that has not ended).');
  expect(result.text).not.toMatch(/hunter2|aHVudGVyMg/);
  const lists = server.matching({ method: 'GET', path: /\/secrets$/ });
  expect(lists.map(({ headers }) => headers['accept'])).toEqual(
    lists.map(() => 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io'),
  );
});

test('a cancelled sweep stops, and says what is deleted', async () => {
  await serve();
  ended('7');
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) pod(name, '7');
  server.fault({ match: { verb: 'delete' }, after: 2, times: 99, action: { kind: 'hang' } });
  const step = startSweep(hub, { kubeconfig: server.kubeconfig });
  try {
    await step.line('Deleted pod', 10_000, 2);
    await server.request({ verb: 'delete' }, 7);
    const result = await step.cancel();
    expect(result.outputs).toMatchObject({ state: 'cancelled', reason: 'Cancelled', deleted: '2' });
    expect(result.text).toContain('The step was cancelled (SIGINT).');
    expect(result.durationMs).toBeLessThan(5000);
  } finally {
    await step.dispose();
  }
});
