import type { Parts } from '../planned.ts';
import type { Rows } from './parameters.ts';

const POD = '{metadata: {labels: {mount_path: x}}, spec: {host_network: true, containers: [{name: base, tty: true}]}}';
const MEANT: Parts = {
  metadata: { labels: { mount_path: 'x' } },
  spec: { hostNetwork: true },
  container: { tty: true },
};

/** What each input of the group "Template" becomes that holds its own text; see {@link FILES} for those that name a file. */
export const TEMPLATE: Rows = {
  pod_template_dict: [
    [POD, MEANT],
    [`{apiVersion: v1, kind: Pod, ${POD.slice(1)}`, MEANT],
    ['{spec: {newField: {a_b: 1.5}}}', { spec: { newField: { a_b: 1.5 } } as never }],
  ],
  full_pod_spec: [[POD, MEANT]],
  pod_patch: [
    [POD, MEANT],
    [
      '{spec: {containers: [{name: base, tty: null}, {name: other, $patch: delete}]}}',
      {},
      { pod_template_dict: '{spec: {containers: [{name: base, tty: true}, {name: other, image: x}]}}' },
    ],
  ],
};

/** What each input of the group "Template" becomes that is about a file; `$DIR` is the folder of the files. */
export const FILES: Record<string, { given: Record<string, string>; files: Record<string, string>; parts: Parts }[]> = {
  pod_template_file: [{ given: { pod_template_file: '$DIR/pod.yaml' }, files: { 'pod.yaml': POD }, parts: MEANT }],
  template_vars: [
    {
      given: { pod_template_file: '$DIR/pod.yaml', template_vars: '{team: "a: b", nested: {tag: 1.10}}' },
      files: {
        'pod.yaml':
          '{spec: {containers: [{name: base, env: [{name: A, value: "{{ team }}"}, {name: B, value: "v{{ nested.tag }}"}]}]}}',
      },
      parts: {
        container: {
          env: [
            { name: 'A', value: 'a: b' },
            { name: 'B', value: 'v1.10' },
          ],
        },
      },
    },
  ],
  defaults_file: [
    {
      given: { defaults_file: '$DIR/defaults.yaml', hostname: 'own' },
      files: {
        'defaults.yaml': 'hostname: shared\nhostnetwork: true\nlabels: {mount_path: 1.10}\ncmds: [sleep, 1.10]',
      },
      parts: {
        metadata: { labels: { mount_path: '1.10' } },
        spec: { hostname: 'own', hostNetwork: true },
        container: { command: ['sleep', '1.10'] },
      },
    },
  ],
};

/** What each input of the group "For KPO's sake" becomes. */
export const KPO: Rows = {
  resources: [
    [
      '{requests: {cpu: "0.5", memory: 500Mi}, limits: {cpu: "1", memory: 1Gi}}',
      {
        container: {
          resources: { requests: { cpu: '0.5', memory: '500Mi' }, limits: { cpu: '1', memory: '1Gi' } },
        },
      },
    ],
    [
      '{limit_memory: 250M, limit_cpu: 100m}',
      { container: { resources: { limits: { memory: '250M', cpu: '100m' } } } },
    ],
  ],
  // Says what becomes of the pod, not what it is.
  is_delete_operator_pod: [
    ['true', {}],
    ['False', {}],
  ],
};
