import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import { inputEnvironment, readActionManifest } from '../support/action-manifest.ts';
import { cluster, kubectl, Namespace, script } from '../support/cluster.ts';

const PROJECT = join(import.meta.dirname, '../..');
/** A pod on the node's network has an address of this machine, and the folders that it mounts are this machine's. */
const whereNodeIsHere = cluster.provider === 'one-node' ? test : test.skip;

let namespace: Namespace;
beforeAll(async () => {
  namespace = await Namespace.create();
}, 60_000);
afterAll(() => namespace[Symbol.asyncDispose]());

const podOf = async (name: string) => JSON.parse(await namespace.kubectl(['get', 'pod', name, '-o', 'json'])) as V1Pod;
const until = (name: string, what: string) =>
  namespace.kubectl(['wait', `pod/${name}`, `--for=${what}`, '--timeout=30s']);
const fixed = (name: string) => ({ name, random_name_suffix: 'false', termination_grace_period: '1' });
const FOREVER = script('echo running; exec sleep 600');

/** Makes a pod on the node's network, as a runner may be. @returns a reference to it, once it runs */
async function runner(name: string, more: object, container: object): Promise<object> {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      hostNetwork: true,
      terminationGracePeriodSeconds: 0,
      ...more,
      containers: [{ name: 'runner', image: cluster.images.shell, ...container }],
    },
  };
  await namespace.kubectl(['create', '-f', '-'], JSON.stringify(pod));
  await until(name, 'condition=Ready');
  return { apiVersion: 'v1', kind: 'Pod', name, uid: (await podOf(name)).metadata?.uid };
}

whereNodeIsHere(
  'a runner pod that is lost takes the pod of its step with it',
  async () => {
    const folders = ['/usr/lib', '/lib64'].filter(folder => existsSync(folder));
    const mounts = [
      { name: 'node', from: dirname(process.execPath), mountPath: '/opt/node' },
      { name: 'dist', from: join(PROJECT, 'dist'), mountPath: '/opt/dist' },
      ...folders.map((from, index) => ({ name: `lib-${index}`, from, mountPath: from.replace('/usr', '') })),
    ];
    const inputs = { image: cluster.images.shell, ...FOREVER, ...fixed('of-runner') };
    const server = new URL(await kubectl(['config', 'view', '-o', 'jsonpath={.clusters[0].cluster.server}']));
    const env = {
      ...inputEnvironment(readActionManifest(PROJECT, { 'github.token': '' }), inputs),
      ...Object.fromEntries(['OUTPUT', 'STATE', 'STEP_SUMMARY'].map(file => [`GITHUB_${file}`, `/tmp/${file}`])),
      GITHUB_WORKSPACE: '/tmp',
      RUNNER_TEMP: '/tmp',
      // The service's address is one of the cluster's network, which this pod is not on.
      KUBERNETES_SERVICE_HOST: server.hostname,
      KUBERNETES_SERVICE_PORT: server.port,
    };
    const owner = await runner(
      'arc-runner',
      {
        serviceAccountName: 'github-runner',
        volumes: mounts.map(({ name, from }) => ({ name, hostPath: { path: from } })),
      },
      {
        command: ['sh', '-c', 'touch /tmp/OUTPUT /tmp/STATE /tmp/STEP_SUMMARY; exec /opt/node/node /opt/dist/index.js'],
        env: Object.entries(env).map(([name, value]) => ({ name, value })),
        volumeMounts: mounts.map(({ name, mountPath }) => ({ name, mountPath, readOnly: true })),
      },
    );
    await until('of-runner', 'create');
    await until('of-runner', 'condition=Ready');
    expect((await podOf('of-runner')).metadata?.ownerReferences).toEqual([owner]);
    expect(await namespace.kubectl(['logs', 'arc-runner'])).toContain(
      'the cluster deletes it once the runner’s pod arc-runner is gone',
    );
    await namespace.kubectl(['delete', 'pod', 'arc-runner', '--force']);
    await until('of-runner', 'delete');
  },
  90_000,
);

whereNodeIsHere(
  'it is known by its host name and its address too; a pod that is to be kept stays',
  async () => {
    const owner = await runner('runner-0', {}, { command: ['sleep', '600'] });
    const env = { KUBERNETES_SERVICE_HOST: '10.96.0.1', HOSTNAME: 'runner-0' };
    const owned = namespace.start({ ...FOREVER, ...fixed('owned') }, { env });
    const kept = namespace.start({ ...FOREVER, ...fixed('kept'), on_kill_action: 'keep_pod' }, { env });
    try {
      for (const step of [owned, kept]) {
        await step.line(/^running$/, 30_000);
        // No post step runs: the runner is lost.
        await step.kill();
      }
      expect((await podOf('owned')).metadata?.ownerReferences).toEqual([owner]);
      expect((await podOf('kept')).metadata).not.toHaveProperty('ownerReferences');
      await namespace.kubectl(['delete', 'pod', 'runner-0']);
      await until('owned', 'delete');
      expect(await podOf('kept')).toMatchObject({ status: { phase: 'Running' } });
      expect((await podOf('kept')).metadata).not.toHaveProperty('deletionTimestamp');
    } finally {
      await owned.dispose();
      await kept.dispose();
    }
  },
  90_000,
);

whereNodeIsHere(
  'a re-run on another runner takes the pod along: it does not go with the first, and goes with the second',
  async () => {
    const [first, second] = await Promise.all(
      ['first', 'second'].map(name => runner(name, {}, { command: ['sleep', '600'] })),
    );
    const attempt = (number: string, name: string) =>
      namespace.start(
        { ...FOREVER, ...fixed('again') },
        { env: { KUBERNETES_SERVICE_HOST: '10.96.0.1', HOSTNAME: name, GITHUB_RUN_ATTEMPT: number } },
      );
    const lost = attempt('1', 'first');
    let rerun: typeof lost | undefined;
    try {
      await lost.line(/^running$/, 30_000);
      await lost.kill();
      expect((await podOf('again')).metadata?.ownerReferences).toEqual([first]);
      rerun = attempt('2', 'second');
      await rerun.line(/^running$/, 30_000);
      const taken = await podOf('again');
      expect(taken.metadata?.ownerReferences).toEqual([second]);
      // Goes when the garbage collector has been through with what the first one leaves.
      const left = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'left', ownerReferences: [first] } };
      await namespace.kubectl(['create', '-f', '-'], JSON.stringify(left));
      await namespace.kubectl(['delete', 'pod', 'first']);
      await namespace.kubectl(['wait', 'configmap/left', '--for=delete', '--timeout=30s']);
      expect((await podOf('again')).metadata).toMatchObject({ uid: taken.metadata?.uid, ownerReferences: [second] });
      expect((await podOf('again')).metadata).not.toHaveProperty('deletionTimestamp');
      await rerun.kill();
      await namespace.kubectl(['delete', 'pod', 'second']);
      await until('again', 'delete');
    } finally {
      await lost.dispose();
      await rerun?.dispose();
    }
  },
  90_000,
);
