import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ApiError } from '../../src/kubernetes/status.ts';
import { suggestField } from '../../src/pod/suggest.ts';
import { explainRefusal } from '../../src/run/refusal.ts';

/** What Kubernetes 1.36.3 answered to such pods, created with `dryRun=All&fieldValidation=Strict`. */
const recorded = JSON.parse(readFileSync(join(import.meta.dirname, 'recorded', 'refusals.json'), 'utf8')) as Record<
  string,
  { code: number; status: object }
>;

const refused = (name: string): ApiError => {
  const { code = 0, status = {} } = recorded[name] ?? {};
  return new ApiError(code, status, { verb: 'create', resource: 'pods', namespace: 'etl', name: 'p' });
};

/** As a plan has it, where everything is an input. */
const inputs: [RegExp, string][] = [
  [/^metadata\.(labels|annotations|name)/, '$1'],
  [/^spec\.containers\[0\]\.volumeMounts/, 'volume_mounts'],
  [/^spec\.containers\[0\]\.env\[/, 'env_vars['],
  [/^spec\.containers\[0\]\.resources/, 'container_resources'],
  [/^spec\.containers\[0\]\.ports/, 'ports'],
  [/^spec\.containers\[0\]\.securityContext/, 'container_security_context'],
  [/^spec\.activeDeadlineSeconds/, 'active_deadline_seconds'],
  [/^spec\.(volumes|tolerations)/, '$1'],
];
const ofInputs = (path: string): string => {
  const [pattern, name] = inputs.find(([pattern]) => pattern.test(path)) ?? [/^$/, ''];
  return path.replace(pattern, name);
};
const ofTemplate = (path: string): string => `pod_template_file (pod.yaml): ${path}`;

describe('a pod that the server refuses: what the user wrote comes first, and the server’s own path where it is another, for', () => {
  test.each<[string, string[]]>([
    ['mount without volume', ['volume_mounts[0].name: Not found: "data" (spec.containers[0].volumeMounts[0].name)']],
    ['duplicate volume', ['volumes[1].name: Duplicate value: "v" (spec.volumes[1].name)']],
    [
      'bad label',
      [
        `labels: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName', or 'my.name', or '123-abc') (metadata.labels)`,
        `labels: Invalid value: "no spaces here": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue', or 'my_value', or '12345') (metadata.labels)`,
      ],
    ],
    [
      'bad env name',
      [
        `env_vars[0].name: Invalid value: "A=B": a valid environment variable name must consist only of printable ASCII characters other than '=' (spec.containers[0].env[0].name)`,
        'env_vars[1].name: Required value (spec.containers[0].env[1].name)',
      ],
    ],
    [
      'request>limit',
      [
        'container_resources.requests: Invalid value: "2Gi": must be less than or equal to memory limit of 1Gi (spec.containers[0].resources.requests)',
        'container_resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1 (spec.containers[0].resources.requests)',
      ],
    ],
    [
      'bad mount path',
      [`volume_mounts.subPath: Invalid value: "../x": must not contain '..' (spec.containers[0].volumeMounts.subPath)`],
    ],
    [
      'two mounts one path',
      [
        'volume_mounts[1].mountPath: Invalid value: "/d": must be unique (spec.containers[0].volumeMounts[1].mountPath)',
      ],
    ],
    [
      'bad port',
      [
        'ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive (spec.containers[0].ports[0].containerPort)',
        'ports[1].name: Invalid value: "this-name-is-too-long": must be no more than 15 characters (spec.containers[0].ports[1].name)',
        'ports[1].protocol: Unsupported value: "TTP": supported values: "SCTP", "TCP", "UDP" (spec.containers[0].ports[1].protocol)',
      ],
    ],
    [
      'bad toleration',
      [
        'tolerations[0].operator: Invalid value: "v": value must be empty when `operator` is \'Exists\' (spec.tolerations[0].operator)',
        'tolerations[1].effect: Unsupported value: "NoSched": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute" (spec.tolerations[1].effect)',
      ],
    ],
    [
      'bad name',
      [
        `name: Invalid value: "Not_Valid": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com') (metadata.name)`,
      ],
    ],
    [
      'bad sec ctx',
      [
        'container_security_context.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive (spec.containers[0].securityContext.runAsUser)',
        'container_security_context: cannot set `allowPrivilegeEscalation` to false and `privileged` to true (spec.containers[0].securityContext)',
      ],
    ],
    [
      'wrong type deadline',
      ['active_deadline_seconds: expected a whole number, found text (spec.activeDeadlineSeconds)'],
    ],
    ['wrong type', ['spec.containers.ports.containerPort: expected a whole number, found text']],
    ['wrong type env', ['spec.containers.env.value: expected text, found a number']],
    ['wrong type list', ['spec.containers.env: expected a list, found a mapping']],
    ['bad quantity', ["quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"]],
    ['wrong ns', ['the namespace of the provided object does not match the namespace sent on the request']],
  ])('%s', (name, lines) => {
    const error = explainRefusal(refused(name), ofInputs, suggestField);
    expect(error.message.split('\n')).toEqual(lines);
    expect(error).toMatchObject({ reason: 'InvalidPod', title: 'The API server refused the pod' });
  });
});

test('a fault that the server repeats for what it has derived is told once', () => {
  const error = explainRefusal(refused('bad resource name'), () => 'container_resources', suggestField);
  expect(error.message.split('\n')).toEqual([
    'container_resources: Invalid value: "memry": must be a standard resource type or fully qualified (spec.containers[0].resources.limits[memry])',
    'container_resources: Invalid value: "memry": must be a standard resource for containers (spec.containers[0].resources.limits[memry])',
  ]);
});

test('a field that is not known comes with the one that is meant', () => {
  const error = explainRefusal(refused('unknown fields'), ofTemplate, suggestField);
  const at = (path: string, meant: string) =>
    `pod_template_file (pod.yaml): ${path}: Kubernetes knows no such field. Did you mean ${meant}?`;
  expect(error.message.split('\n')).toEqual([
    at('metadata.label', 'labels'),
    at('spec.containers[0].imge', 'image'),
    at('spec.containers[0].resources.limit', 'limits'),
    at('spec.containers[0].env[0].vlaue', 'value'),
    at('spec.nodeSelectr', 'nodeSelector'),
    at('spec.volumes[0].emptyDirr', 'emptyDir'),
    at('spec.tolerations[0].kye', 'key'),
    at('spec.affinity.nodeAffinity.required', 'requiredDuringSchedulingIgnoredDuringExecution'),
  ]);
});

test('a field that is not known, and like none that is', () => {
  const message =
    'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.brandNew", duplicate field "spec.containers[0].image"';
  const error = new ApiError(400, { message }, { verb: 'create', resource: 'pods', namespace: 'etl' });
  expect(explainRefusal(error, path => `volumes (${path})`, suggestField).message.split('\n')).toEqual([
    'volumes (spec.brandNew): Kubernetes knows no such field (spec.brandNew)',
    'volumes (spec.containers[0].image): the field stands there twice (spec.containers[0].image)',
  ]);
});

test('the words of a webhook stay as they are', () => {
  const message = 'admission webhook "policy.acme.com" denied the request: labels: need a team';
  const error = new ApiError(
    400,
    { message, details: { causes: [{ message }] } },
    { verb: 'create', resource: 'pods', namespace: 'etl' },
  );
  expect(explainRefusal(error, path => path, suggestField).message).toBe(message);
});
