import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { changedKubeconfig, type Kubeconfig } from '../support/account.ts';
import { Namespace } from '../support/cluster.ts';
import { startFakeApiServer } from '../support/fake-api-server.ts';
import { makeCertificate } from '../support/test-certificate.ts';

let namespace: Namespace;
beforeAll(async () => {
  namespace = await Namespace.create();
}, 60_000);
afterAll(async () => {
  await namespace[Symbol.asyncDispose]();
});

/** @returns the path of a runner's kubeconfig with a change. */
const kubeconfig = (change: (config: Kubeconfig) => void) => changedKubeconfig(namespace.kubeconfig, change);

/** Each row: what is wrong, the inputs, the annotation. Nothing is ever created. */
describe('ends in one sentence, and nothing is created', () => {
  test.each<[string, Record<string, string>, RegExp]>([
    ['no image', { image: '' }, /^image: expected the image to run.*found nothing/],
    ['a list where a mapping belongs', { labels: '[a, b]' }, /^labels: expected a mapping.*found a list/],
    ['YAML that does not parse', { env_vars: '{A: 1' }, /^env_vars: this is not valid YAML.*line 1/],
    [
      'a kubeconfig that is not one',
      { config_file: '', kubeconfig: 'just some text' },
      /^kubeconfig: .*not a kubeconfig|^kubeconfig: expected the content of a kubeconfig/,
    ],
    [
      'an unknown context',
      { cluster_context: 'nowhere' },
      /does not have context nowhere \(cluster_context\)\. It has: /,
    ],
    [
      'an input name that does not exist',
      { imgae: 'x' },
      /^imgae: this action has no such input\. Did you mean image\?/,
    ],
    [
      'a file that is not there',
      { config_file: 'nope.yaml' },
      /^config_file: cannot read nope\.yaml: there is no such file/,
    ],
    [
      'a reserved label',
      { labels: '{kubernetes-pod-step/run-id: "1"}' },
      /^labels\[kubernetes-pod-step\/run-id\]: the prefix .* is reserved/,
    ],
    [
      // Who may act in some namespaces alone is not told which there are.
      'a namespace that does not exist, or is not for them',
      { namespace: 'no-such-namespace' },
      /may not create pods in namespace no-such-namespace\. .*A namespace that does not exist is refused in the same way\.$/,
    ],
    [
      'a label that Kubernetes does not take',
      { labels: '{"a b": c}' },
      /^labels\[a b\]: "a b" cannot be the key of a label: /,
    ],
  ])('%s', async (_, inputs, sentence) => {
    const step = await namespace.run({ cmds: 'true', ...inputs });
    expect(step.exitCode).toBe(1);
    expect(step.annotations.map(({ level, message }) => [level, message])).toEqual([
      ['error', expect.stringMatching(sentence)],
    ]);
    expect(step.outputs).toMatchObject({ state: 'failed', reason: expect.stringMatching(/^[A-Z]/) });
    expect(step.outputs).not.toHaveProperty('pod_name');
    expect(await namespace.pods()).toEqual([]);
  });

  test('several bad inputs, all of them at once', async () => {
    const step = await namespace.run({ image: '', labels: '[a]', cmds: 'sh -c "x', get_logs: 'maybe', envvars: 'A=1' });
    expect(step.annotations).toHaveLength(1);
    const message = step.annotations[0]?.message ?? '';
    for (const name of ['image', 'labels', 'cmds', 'get_logs', 'envvars'])
      expect(message).toMatch(new RegExp(`^- ${name}: `, 'm'));
    expect(message).toContain('Did you mean env_vars?');
  });

  test('none with the Role from the examples', async () => {
    const step = await namespace.run({ cmds: 'echo allowed' });
    expect(step.outputs).toMatchObject({ state: 'succeeded' });
    expect(step.annotations).toEqual([]);
    const { users } = load(readFileSync(namespace.kubeconfig, 'utf8')) as Kubeconfig;
    expect(step.masks).toEqual([users[0].user['token']]);
    expect(await namespace.pods()).toEqual([]);
  });

  test('a token that the cluster does not know', async () => {
    const file = kubeconfig(({ users: [entry] }) => {
      entry.user = { token: 'not-a-token-of-this-cluster' };
    });
    const step = await namespace.run({ config_file: file });
    expect(step.outputs).toMatchObject({ reason: 'Unauthorized' });
    expect(step.annotations[0]?.message).toMatch(
      /does not accept the credentials of the kubeconfig \(401 Unauthorized\).*Renew the kubeconfig, in `kubeconfig` or `config_file`/,
    );
    expect(step.masks).toContain('not-a-token-of-this-cluster');
  });

  test('a client certificate that has expired', async () => {
    const { cert, key } = makeCertificate({ expired: true });
    const file = kubeconfig(({ users: [entry] }) => {
      entry.user = {
        'client-certificate-data': Buffer.from(cert).toString('base64'),
        'client-key-data': Buffer.from(key).toString('base64'),
      };
    });
    const step = await namespace.run({ config_file: file });
    expect(step.outputs).toMatchObject({ reason: 'Unauthorized' });
    expect(step.annotations.map(({ message }) => message)).toEqual([
      expect.stringMatching(
        /^The client certificate in the kubeconfig expired on 20\d\d-\d\d-\d\d\. Renew the kubeconfig/,
      ),
    ]);
  });

  test('a server whose certificate has expired', async () => {
    const expired = await startFakeApiServer({ tls: { expired: true } });
    try {
      const step = await namespace.run({ config_file: '', kubeconfig: expired.kubeconfig });
      expect(step.outputs).toMatchObject({ reason: 'Unreachable' });
      expect(step.annotations.map(({ message }) => message)).toEqual([
        expect.stringMatching(/^The API server at https:\S+ cannot be trusted: its certificate has expired\. Renew/),
      ]);
    } finally {
      await expired.close();
    }
  });

  test('a server whose certificate is not the kubeconfig’s to trust', async () => {
    const file = kubeconfig(({ clusters: [{ cluster: server }] }) => {
      delete server['certificate-authority-data'];
    });
    const step = await namespace.run({ config_file: file });
    expect(step.outputs).toMatchObject({ reason: 'Unreachable' });
    expect(step.annotations[0]?.message).toMatch(
      /cannot be trusted: its certificate is .*authority.*certificate-authority-data/,
    );
  });
});
