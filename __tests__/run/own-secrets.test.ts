import { afterEach, describe, expect, test } from '@jest/globals';
import type { V1Secret } from '@kubernetes/client-node';
import { type FakeApiServer, type FakePod, replies, startFakeApiServer } from '../support/fake-api-server.ts';
import { run } from './step.ts';

let server: FakeApiServer;
afterEach(() => server.close());

const hello = (pod: FakePod) => void pod.run().write('hello').finish();
const given = {
  secret_env: 'PASSWORD=correct horse',
  secret_files: '/etc/app/key.pem: "-----BEGIN-----\\nline two\\n"',
  registry_username: 'robot',
  registry_password: 'battery staple',
};
const made = () =>
  server.requests
    .filter(({ method, path }) => method === 'POST' && path.endsWith('/secrets'))
    .map(({ body }) => body as V1Secret);
const decoded = ({ data = {} }: V1Secret) =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));

describe('what the step was given as secrets', () => {
  test('goes into immutable Secrets that the pod owns, made after it, and nowhere else', async () => {
    server = await startFakeApiServer({ autoplay: hello });
    const result = await run(server, { image: 'ghcr.io/acme/app:1', ...given });
    expect(result).toMatchObject({ conclusion: 'success', annotations: [] });
    const [pod] = server.pods;
    expect(made().map(({ type, immutable }) => ({ type, immutable }))).toEqual([
      { type: 'Opaque', immutable: true },
      { type: 'Opaque', immutable: true },
      { type: 'kubernetes.io/dockerconfigjson', immutable: true },
    ]);
    const owner = { apiVersion: 'v1', kind: 'Pod', name: pod?.object.metadata.name, uid: pod?.object.metadata.uid };
    for (const { metadata } of made()) {
      expect(metadata?.ownerReferences).toEqual([owner]);
      expect(metadata?.labels).toMatchObject({ 'app.kubernetes.io/managed-by': 'kubernetes-pod-step' });
    }
    const [env, files, registry] = made().map(decoded);
    expect(env).toEqual({ PASSWORD: 'correct horse' });
    expect(files).toEqual({ 'file-0': '-----BEGIN-----\nline two\n' });
    const { auths } = JSON.parse(registry?.['.dockerconfigjson'] ?? '{}');
    expect(Object.keys(auths)).toEqual(['ghcr.io']);
    const order = server.requests.filter(({ method }) => method === 'POST').map(({ path }) => path.split('/').at(-1));
    expect(order).toEqual(['pods', 'secrets', 'secrets', 'secrets']);
    const everythingElse = JSON.stringify([pod?.object, result.outputs, result.text]);
    for (const secret of ['correct horse', 'line two', 'battery staple']) expect(everythingElse).not.toContain(secret);
  });

  test('is masked in what the container prints', async () => {
    server = await startFakeApiServer({
      autoplay: pod => void pod.run().write('it is correct horse, and line two').finish(),
    });
    const { text } = await run(server, given);
    expect(text).toContain('it is ***, and ***');
  });

  test('is made once where the answer to a request gets lost', async () => {
    server = await startFakeApiServer({ autoplay: hello });
    server.fault({ match: { method: 'POST', path: /secrets$/ }, action: { kind: 'loseAnswer' } });
    server.fault({
      match: { method: 'POST', path: /secrets$/ },
      action: { kind: 'answer', reply: replies.alreadyExists('x') },
    });
    const result = await run(server, { secret_env: 'PASSWORD=correct horse' });
    expect(result).toMatchObject({ conclusion: 'success', annotations: [] });
  });

  test('ends the step where it may not be made, with the pod deleted and the rule that is missing', async () => {
    server = await startFakeApiServer();
    const message =
      'secrets is forbidden: User "robot" cannot create resource "secrets" in API group "" in the namespace "default"';
    const reply = {
      code: 403,
      body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 403, reason: 'Forbidden', message },
    };
    server.fault({ match: { method: 'POST', path: /secrets$/ }, action: { kind: 'answer', reply } });
    const result = await run(server, { secret_env: 'PASSWORD=correct horse' });
    expect(result.annotations.map(({ message }) => message)).toEqual([
      'robot may not create secrets in namespace default. run, secret_env, secret_files, registry_username and workspace: checkout need it. Have the Role that the log shows applied, or use credentials that may. A namespace that does not exist is refused in the same way.',
    ]);
    expect(result.text).toMatch(
      /resources: \[secrets\]\n {4}verbs: \[create\]\n---\n(.*\n)*subjects:\n.*\n {4}kind: User\n {4}name: robot\n/,
    );
    expect(result.outputs).toMatchObject({ state: 'failed', reason: 'Forbidden' });
    expect(server.matching({ verb: 'delete' }).length).toBeGreaterThan(0);
  });

  test('is no Secret that somebody else was quicker to make', async () => {
    server = await startFakeApiServer();
    server.fault({
      match: { method: 'POST', path: /secrets$/ },
      action: { kind: 'answer', reply: replies.alreadyExists('x') },
    });
    const result = await run(server, { secret_env: 'PASSWORD=correct horse', on_finish_action: 'keep_pod' });
    expect(result.annotations.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^Secret default\/\S+ was made by somebody else/),
    ]);
    expect(server.matching({ verb: 'delete' }).length).toBeGreaterThan(0);
  });
});
