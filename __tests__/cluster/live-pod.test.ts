import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import { load } from 'js-yaml';
import { until } from '../../dev/cluster/process.ts';
import { cluster, kubectl, Namespace, script } from '../support/cluster.ts';
import type { StepResult } from '../support/step-runner.ts';

let namespace: Namespace;
beforeAll(async () => {
  namespace = await Namespace.create();
}, 60_000);
afterAll(() => namespace[Symbol.asyncDispose]());

/** @returns what the log viewer folds, group by group, without the fence */
function groups({ lines }: StepResult): { title: string; text: string; closed: boolean }[] {
  const found: { title: string; text: string; closed: boolean }[] = [];
  for (const { raw } of lines) {
    const last = found.at(-1);
    if (raw.startsWith('::group::')) found.push({ title: raw.slice('::group::'.length), text: '', closed: false });
    else if (raw === '::endgroup::' && last) last.closed = true;
    else if (last && !last.closed && !/^::(stop-commands::)?[0-9a-f]{48}(::)?$/.test(raw)) last.text += `${raw}\n`;
  }
  return found;
}

const TITLE = /^The pod as the cluster has it \(.+\)$/;

describe('the pod of a step that failed', () => {
  test('is in the log, folded by itself, as the cluster has it, and without what is secret', async () => {
    const step = await namespace.run({
      ...script('echo "::group::of the container"; echo "the password is $PASSWORD"; exit 3'),
      workflow_commands: 'annotations',
      secret_env: 'PASSWORD=correct horse',
      env_vars: '{PLAIN: shown, COPY: "a correct horse too"}',
    });
    expect(step.outputs).toMatchObject({ state: 'failed', reason: 'ExitCode', exit_code: '3' });
    expect(groups(step)).toEqual([
      { title: 'of the container', text: 'the password is correct horse\n', closed: true },
      {
        title: `The pod as the cluster has it (${namespace.name}/${step.outputs['pod_name']})`,
        text: expect.any(String),
        closed: true,
      },
    ]);
    const text = groups(step)[1]?.text ?? '';
    const pod = load(text) as V1Pod;
    expect(pod).toMatchObject({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: step.outputs['pod_name'], namespace: namespace.name, uid: step.outputs['pod_uid'] },
      spec: {
        nodeName: step.outputs['node_name'],
        schedulerName: 'default-scheduler',
        containers: [
          {
            name: 'base',
            env: [
              { name: 'PLAIN', value: 'shown' },
              { name: 'COPY', value: 'a *** too' },
              { name: 'PASSWORD', valueFrom: { secretKeyRef: { key: 'PASSWORD' } } },
              { name: 'RESULT_PATH', value: '/airflow/xcom/return.json' },
            ],
          },
        ],
      },
    });
    expect(pod).not.toHaveProperty('status');
    expect(pod.metadata).not.toHaveProperty('managedFields');
    expect(text).not.toMatch(/correct horse|nonce/);
    expect(step.annotations.map(({ title }) => title)).toEqual(['Exit code 3']);
    const end = step.lines.findLastIndex(({ raw }) => raw === '::endgroup::');
    expect(step.lines.slice(end + 1).map(({ raw }) => raw)).toEqual([
      expect.stringMatching(/^::error title=Exit code 3::/),
    ]);
  });

  test('has nothing in it of a container that still prints', async () => {
    const command = ['sh', '-c', 'while :; do echo chatter; sleep 0.01; done'];
    const sidecar = { name: 'chatter', image: cluster.images.shell, restartPolicy: 'Always', command };
    const step = await namespace.run({
      init_containers: JSON.stringify([sidecar]),
      image: 'localhost/nowhere:1',
      image_pull_policy: 'Never',
      cmds: 'true',
      container_logs: '[base, chatter]',
    });
    expect(step.outputs).toMatchObject({ state: 'failed', reason: 'ImagePull' });
    expect(step.text).toContain('[chatter] chatter');
    const [group, ...more] = groups(step);
    expect(more).toEqual([]);
    expect(group).toMatchObject({ title: expect.stringMatching(TITLE), closed: true });
    expect(group?.text).not.toContain('[chatter] chatter');
    expect(load(group?.text ?? '')).toMatchObject({ kind: 'Pod' });
  });

  test('shows what admission added, but not the values of variables', async () => {
    const name = `inject-${namespace.name}`;
    const policy = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingAdmissionPolicy',
      metadata: { name },
      spec: {
        failurePolicy: 'Fail',
        reinvocationPolicy: 'Never',
        matchConstraints: {
          resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace.name } },
        },
        mutations: [
          {
            patchType: 'ApplyConfiguration',
            applyConfiguration: {
              expression: `Object{
                spec: Object.spec{
                  hostname: "renamed",
                  containers: [Object.spec.containers{
                    name: object.spec.containers[0].name,
                    env: [Object.spec.containers.env{name: "INJECTED", value: "plain as day"}]
                  }]
                }
              }`,
            },
          },
        ],
      },
    };
    const binding = {
      apiVersion: policy.apiVersion,
      kind: 'MutatingAdmissionPolicyBinding',
      metadata: { name },
      spec: { policyName: name },
    };
    await kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [policy, binding] }));
    try {
      const asIfRun = () => namespace.kubectl(['run', 'x', '--image=x', '--dry-run=server', '-o', 'yaml']);
      expect(await until(async () => (await asIfRun()).includes('INJECTED'), 30)).toBe(true);
      const step = await namespace.run({ cmds: 'false' });
      expect(load(groups(step)[0]?.text ?? '')).toMatchObject({
        spec: {
          hostname: 'renamed',
          containers: [{ env: [{ name: 'RESULT_PATH' }, { name: 'INJECTED', value: '***' }] }],
        },
      });
      expect(step.lines.map(({ raw }) => raw).join('\n')).not.toContain('plain as day');
    } finally {
      await kubectl(['delete', 'mutatingadmissionpolicies,mutatingadmissionpolicybindings', name]);
    }
  });

  test('is not there where it is not wanted', async () => {
    const step = await namespace.run({ cmds: 'false', log_pod_spec_on_failure: 'false' });
    expect(step.outputs).toMatchObject({ state: 'failed' });
    expect(groups(step)).toEqual([]);
  });

  test('is not there where it succeeded', async () => {
    expect(groups(await namespace.run({ cmds: 'true' }))).toEqual([]);
  });
});
