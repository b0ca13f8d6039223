import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { cluster, Namespace } from '../support/cluster.ts';
import type { StepResult } from '../support/step-runner.ts';

let namespace: Namespace;
/** A registry that refuses everyone; the node reaches it where it is this machine. */
let registry: Server;
beforeAll(async () => {
  namespace = await Namespace.create();
  await namespace.kubectl(['create', 'secret', 'generic', 'db-secret', '--from-literal=user=u']);
  registry = createServer((_, response) => {
    response.writeHead(403, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({ errors: [{ code: 'DENIED', message: 'requested access to the resource is denied' }] }),
    );
  });
  await new Promise<void>(resolve => registry.listen(0, '127.0.0.1', resolve));
}, 60_000);
afterAll(async () => {
  registry.close();
  await namespace[Symbol.asyncDispose]();
});

interface Case {
  inputs: Record<string, string>;
  /** Of the annotation; NS stands for the namespace. */
  says: string;
  reason: string;
}

const env = (secret: string, key: string) => `[{deploy_type: env, deploy_target: A, secret: ${secret}, key: ${key}}]`;
const volume = (source: string) => ({
  volumes: `[{name: v, ${source}}]`,
  volume_mounts: '[{name: v, mountPath: /v}]',
});

const cases: Record<string, Case> = {
  'a Secret': {
    inputs: { secrets: env('gone', 'password') },
    reason: 'ContainerConfig',
    says: 'Secret "gone" does not exist in namespace NS; secrets[0] asks for it. Create it: kubectl -n NS create secret generic gone --from-literal=password=VALUE',
  },
  'a Secret for files': {
    inputs: volume('secret: {secretName: gone}'),
    reason: 'ContainerConfig',
    says: 'Secret "gone" does not exist in namespace NS; volumes[0].secret asks for it. Create it: kubectl -n NS create secret generic gone --from-file=PATH',
  },
  'a key of a Secret for files': {
    inputs: volume('secret: {secretName: db-secret, items: [{key: service-account.json, path: x}]}'),
    reason: 'ContainerConfig',
    says: 'Secret "db-secret" exists in namespace NS, but has no key "service-account.json"; volumes[0].secret.items[0] asks for it. Add the key, or name another. Those that it has: kubectl -n NS describe secret db-secret',
  },
  'a service account': {
    inputs: { service_account_name: 'builder' },
    reason: 'ContainerConfig',
    says: 'Service account "builder" does not exist in namespace NS; service_account_name asks for it. Create it: kubectl -n NS create serviceaccount builder',
  },
};

describe('what is missing ends the step in a sentence, long before any time-out:', () => {
  // They mostly wait, so they do it together.
  const steps = new Map<string, Promise<StepResult>>();
  beforeAll(() => {
    for (const [name, { inputs }] of Object.entries(cases)) {
      const step = namespace.run({ cmds: 'true', ...inputs });
      step.catch(() => {});
      steps.set(name, step);
    }
  });

  test.each(Object.entries(cases))('%s', async (name, { says, reason }) => {
    const step = await steps.get(name);
    expect(step?.annotations.map(({ message }) => message)).toEqual([says.replaceAll('NS', namespace.name)]);
    expect(step?.outputs).toMatchObject({ state: 'failed', reason });
    // 15 s of grace, and the node looks again every 10 to 15 s.
    expect(step?.durationMs).toBeGreaterThan(15_000);
    expect(step?.durationMs).toBeLessThan(45_000);
  });

  test('and no pod is left', async () => {
    await Promise.all(steps.values());
    expect(await namespace.pods()).toEqual([]);
  });
});

describe('what is made within the grace lets the step go on:', () => {
  test.each<[string, Record<string, string>, string[]]>([
    ['a Secret', { secrets: env('late', 'k') }, ['secret', 'generic', 'late', '--from-literal=k=v']],
    [
      'a Secret for files',
      volume('secret: {secretName: late-files}'),
      ['secret', 'generic', 'late-files', '--from-literal=k=v'],
    ],
    ['a service account', { service_account_name: 'late' }, ['serviceaccount', 'late']],
  ])('%s', async (_, inputs, make) => {
    const step = namespace.run({ cmds: 'true', ...inputs });
    await new Promise(resolve => setTimeout(resolve, 9000));
    await namespace.kubectl(['create', ...make]);
    const { annotations, outputs, text } = await step;
    expect(annotations).toEqual([]);
    expect(outputs).toMatchObject({ state: 'succeeded' });
    expect(text.match(/does not exist in namespace .* asks for it\. Waiting for it\./g)).toHaveLength(1);
  });
});

describe('an image pull secret', () => {
  test('that is missing does not matter where none is needed', async () => {
    const step = await namespace.run({ cmds: 'true', image_pull_secrets: 'regcred' });
    expect(step.annotations).toEqual([]);
    expect(step.outputs).toMatchObject({ state: 'succeeded' });
  });

  // kind's node has a loopback of its own.
  (cluster.provider === 'one-node' ? test : test.skip)(
    'that is missing is named where the image is refused',
    async () => {
      const image = `127.0.0.1:${(registry.address() as AddressInfo).port}/acme/private:1`;
      const step = await namespace.run({ cmds: 'true', image, image_pull_secrets: 'regcred' });
      expect(step.outputs).toMatchObject({ reason: 'ImagePull' });
      expect(step.annotations[0]?.message).toMatch(
        /cannot be pulled: .*403 Forbidden\. Image pull secret "regcred" does not exist in namespace \S+; image_pull_secrets.* asks for it\. Create it: kubectl -n \S+ create secret docker-registry regcred /,
      );
      expect(step.durationMs).toBeLessThan(60_000);
    },
  );
});

test('what the server has against the pod is told in the words of the inputs, all at once', async () => {
  const step = await namespace.run({
    cmds: 'true',
    full_pod_spec: '{spec: {containers: [{name: base, terminationMessagePolicy: Never}]}}',
    tolerations: '[{key: k, operator: Exists, value: v}]',
  });
  expect(step.outputs).toMatchObject({ reason: 'InvalidPod' });
  expect(step.annotations[0]?.message.split('\n').sort()).toEqual([
    'full_pod_spec: spec.containers[0].terminationMessagePolicy: Unsupported value: "Never": supported values: "File", "FallbackToLogsOnError"',
    'tolerations[0].operator: Invalid value: "v": value must be empty when `operator` is \'Exists\' (spec.tolerations[0].operator)',
  ]);
  expect(await namespace.pods()).toEqual([]);
});
