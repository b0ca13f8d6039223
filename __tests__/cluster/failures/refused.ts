import { readFileSync } from 'node:fs';
import { changedKubeconfig, type Kubeconfig } from '../../support/account.ts';
import { type Inputs, type Place, type Scenario, SHELL } from './scenario.ts';

/** The API server is not to be had, or refuses the pod as it is. */
export const REFUSED: Scenario[] = [
  {
    name: 'The namespace does not exist',
    // To everybody else the server says that they may not.
    before: ({ namespace, kubectl }) =>
      kubectl([
        ...['create', 'clusterrolebinding', ANYWHERE, '--clusterrole=edit'],
        `--serviceaccount=${namespace.name}:github-runner`,
      ]),
    alone: true,
    inputs: { namespace: 'no-such-namespace' },
    after: ({ kubectl }) => kubectl(['delete', 'clusterrolebinding', ANYWHERE]),
    expected: {
      title: 'No such namespace',
      says: 'Namespace no-such-namespace does not exist on this cluster. Create it (kubectl create namespace no-such-namespace), or correct `namespace`.',
      reason: 'NamespaceNotFound',
    },
  },
  {
    name: 'The namespace is being deleted',
    alone: true,
    async before({ namespace }) {
      const holder = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'holder', finalizers: ['example.com/wait'] },
      };
      await namespace.kubectl(['create', '-f', '-'], JSON.stringify(holder));
      await namespace.kubectl(['delete', 'namespace', namespace.name, '--wait=false']);
    },
    inputs: {},
    after: ({ namespace }) =>
      namespace.kubectl(['patch', 'configmap', 'holder', '--type=merge', '-p', '{"metadata":{"finalizers":null}}']),
    expected: {
      title: 'Namespace is being deleted',
      says: 'Namespace NS is being deleted and takes no new pods. Use another `namespace`.',
      reason: 'NamespaceNotFound',
    },
  },
  {
    name: 'The credentials may not create pods',
    inputs: async ({ namespace }) => ({ config_file: await namespace.account('newcomer') }),
    expected: {
      title: 'Permission missing',
      says: 'system:serviceaccount:NS:newcomer may not create pods in namespace NS. Have the Role that the log shows applied, or use credentials that may. A namespace that does not exist is refused in the same way.',
      reason: 'Forbidden',
    },
  },
  {
    name: 'The cluster does not know the token',
    inputs: place =>
      kubeconfig(place, ({ users: [entry] }) => {
        entry.user = { token: 'not-a-token-of-this-cluster' };
      }),
    expected: {
      title: 'Not logged in to the cluster',
      says: 'The API server does not accept the credentials of the kubeconfig (401 Unauthorized): the token or client certificate has expired, was revoked, or belongs to another cluster. Renew the kubeconfig, in `kubeconfig` or `config_file`.',
      reason: 'Unauthorized',
    },
  },
  {
    name: 'The API server cannot be reached',
    inputs: place => ({
      ...kubeconfig(place, ({ clusters: [{ cluster }] }) => {
        cluster['server'] = 'https://127.0.0.1:1';
      }),
      outage_timeout_seconds: '2',
    }),
    takes: 2,
    expected: {
      title: 'The API server is out of reach',
      says: 'The API server at https://127.0.0.1:1 did not answer within … s: connection refused. Check the server’s address in the kubeconfig, and that this runner can reach it (network, firewall, VPN, proxy).',
      reason: 'Unreachable',
    },
  },
  {
    name: 'A field of the pod is invalid',
    inputs: { tolerations: '[{key: k, operator: Exists, value: v}]' },
    expected: {
      title: 'The API server refused the pod',
      says: 'tolerations[0].operator: Invalid value: "v": value must be empty when `operator` is \'Exists\' (spec.tolerations[0].operator)',
      reason: 'InvalidPod',
    },
  },
  {
    name: 'The cluster drops a field of the pod',
    // Other versions may have the feature on.
    sameMachine: true,
    shownBy: { pod: () => true },
    inputs: {
      full_pod_spec: '{spec: {os: {name: linux}, containers: [{name: base, lifecycle: {stopSignal: SIGUSR1}}]}}',
    },
    expected: {
      title: 'The cluster dropped a field',
      says: 'The cluster created the pod without full_pod_spec: spec.containers[0].lifecycle, so it was deleted again. The server does not know the field, or has the feature switched off. Leave it out, or use a cluster that has it.',
      reason: 'FieldDropped',
    },
  },
  {
    name: 'The pod’s name is taken',
    async before({ namespace }) {
      const containers = [{ name: 'base', image: SHELL }];
      const spec = { containers, schedulingGates: [{ name: 'example.com/never' }] };
      const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'nightly' }, spec };
      await namespace.kubectl(['apply', '-f', '-'], JSON.stringify(pod));
    },
    inputs: { name: 'nightly', random_name_suffix: 'false' },
    after: ({ namespace }) => namespace.kubectl(['delete', 'pod', 'nightly', '--wait=false']),
    expected: {
      title: 'Pod name taken',
      says: 'Pod NS/nightly exists already, created at …. It was not touched. Give another `name`, leave `random_name_suffix` on, or delete that pod: kubectl -n NS delete pod nightly',
      reason: 'NameTaken',
    },
  },
];

/** Somebody's right to make pods in every namespace. */
const ANYWHERE = 'runner-anywhere';

/** @returns the inputs that take the step's kubeconfig with a change. */
function kubeconfig({ namespace }: Place, change: (config: Kubeconfig) => void): Inputs {
  return { config_file: '', kubeconfig: readFileSync(changedKubeconfig(namespace.kubeconfig, change), 'utf8') };
}
