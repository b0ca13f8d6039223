import { describe, expect, test } from '@jest/globals';
import { baseOf, podOf, refusal } from '../planned.ts';

/** Each input that is wrong in one way, and the whole of what the user is told. */
const refused: [what: string, given: Record<string, string>, sentence: string][] = [
  ['no image', { image: '' }, 'image: expected the image to run, e.g. python:3.13-slim; found nothing.'],
  [
    'an image that is null',
    { image: 'null' },
    'image: expected the image to run, e.g. python:3.13-slim; found nothing.',
  ],
  [
    'an image that is explicitly empty',
    { image: '""' },
    'image: expected the image to run, e.g. python:3.13-slim; found nothing.',
  ],
  ['an image of two words', { image: 'python 3' }, 'image: "python 3" is no image: it holds white space.'],
  [
    'a pull policy in lower case',
    { image_pull_policy: 'always' },
    'image_pull_policy: expected Always, IfNotPresent or Never, found "always". Did you mean Always?',
  ],
  [
    'an unknown pull policy',
    { image_pull_policy: 'Sometimes' },
    'image_pull_policy: expected Always, IfNotPresent or Never, found "Sometimes".',
  ],
  [
    'an unknown policy of messages',
    { termination_message_policy: 'FallbackToLogs' },
    'termination_message_policy: expected File or FallbackToLogsOnError, found "FallbackToLogs". Did you mean FallbackToLogsOnError?',
  ],
  [
    'an unknown DNS policy',
    { dnspolicy: 'clusterfirst' },
    'dnspolicy: expected ClusterFirst, ClusterFirstWithHostNet, Default or None, found "clusterfirst". Did you mean ClusterFirst?',
  ],
  ['yes for the network', { hostnetwork: 'yes' }, 'hostnetwork: expected true or false, found "yes".'],
  ['labels as in a selector', { labels: 'team=data' }, 'labels: expected a mapping, e.g. {team: data}; found text.'],
  ['a number for labels', { labels: '7' }, 'labels: expected a mapping, e.g. {team: data}; found the number 7.'],
  [
    'a list for annotations',
    { annotations: '[a]' },
    'annotations: expected a mapping, e.g. {team: data}; found a list.',
  ],
  ['a list for a label', { labels: '{team: [data]}' }, 'labels.team: expected text, found a list.'],
  ['a mapping for an annotation', { annotations: '{a: {b: c}}' }, 'annotations.a: expected text, found a mapping.'],
  [
    'a label that is no valid one',
    { labels: '{team: my team}' },
    'labels.team: "my team" cannot be the value of a label: at most 63 letters, digits, dashes, underscores and dots, first and last a letter or digit. Longer or other text can be an annotation.',
  ],
  [
    'a label of ours',
    { labels: '{kubernetes-pod-step/job: x}' },
    'labels[kubernetes-pod-step/job]: the prefix kubernetes-pod-step/ is reserved, for cleanup rests on it. Use another.',
  ],
  [
    'an annotation of ours',
    { annotations: '{kubernetes-pod-step/nonce: x}' },
    'annotations[kubernetes-pod-step/nonce]: the prefix kubernetes-pod-step/ is reserved, for cleanup rests on it. Use another.',
  ],
  [
    'a label twice',
    { labels: 'a: 1\na: 2' },
    'labels: this is not valid YAML: duplicated mapping key (line 2, column 1).',
  ],
  [
    'a colon in a label',
    { labels: 'a: b: c' },
    'labels: this is not valid YAML: bad indentation of a mapping entry, or text with a colon in it that needs quotes (line 1, column 5).',
  ],
  [
    'an affinity whose expressions are a mapping',
    {
      affinity:
        '{podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{labelSelector: {matchExpressions: {key: security, operator: In, values: [S1]}}, topologyKey: zone}]}}',
    },
    'affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector.matchExpressions: expected a list, found a mapping. Write [{...}] for a list of one.',
  ],
  [
    'a misspelt field of a security context',
    { security_context: '{runAsUsr: 1}' },
    'security_context.runAsUsr: there is no such field. Did you mean runAsUser?',
  ],
  ['a list for a mapping', { dns_config: '[a]' }, 'dns_config: expected a mapping, found a list.'],
  ['a port that is none', { ports: '[{containerPort: 0}]' }, 'ports[0].containerPort: 0 is no port: from 1 to 65535.'],
  [
    'an init container without an image',
    { init_containers: '[{name: a}]' },
    'init_containers[0]: has no image. The input `image` is that of the base container alone.',
  ],
  [
    'an init container of the name of the other',
    { init_containers: '[{name: base, image: a}]' },
    'init_containers[0].name: "base" is the name of another container too.',
  ],
  [
    'a service account in capitals',
    { service_account_name: 'Builder' },
    'service_account_name: "Builder" is no valid name: lower-case letters, digits, dashes and dots, at most 253, first and last a letter or digit.',
  ],
  [
    'a host name with a dot',
    { hostname: 'a.b' },
    'hostname: "a.b" is no valid name: lower-case letters, digits and dashes, at most 63, neither first nor last a dash.',
  ],
  [
    'a directive of a patch in an input',
    { security_context: '{$patch: delete}' },
    'security_context.$patch: directives of a strategic merge patch are for pod_patch alone.',
  ],
];

describe('an input is refused', () => {
  test.each(refused)('%s', (_, given, sentence) =>
    expect(refusal(given)).toMatchObject({ reason: 'InvalidInput', title: 'Invalid input', text: sentence }),
  );

  test.each(['0', '-5', '1.5', '6h', '2147483648', '99999999999999999999', '0x10'])('the deadline %s', value => {
    expect(refusal({ active_deadline_seconds: value }).text).toMatch(
      new RegExp(`^active_deadline_seconds: expected a whole number .*found "${value}"`),
    );
  });

  test('its value is not quoted where it may be a secret', () => {
    const given = { env_vars: '{A: *hunter2}', labels: 'hunter2', secret_env: '[hunter2]', secret_files: 'hunter2' };
    expect(refusal(given).text).not.toMatch(/hunter2/);
  });
});

describe('a whole pod is refused', () => {
  test.each([
    ['text', 'busybox', ': expected a Pod, e.g. {spec: {containers: [...]}}; found text.'],
    ['a list', '[a]', ': expected a Pod, e.g. {spec: {containers: [...]}}; found a list.'],
    ['another kind', '{kind: Service}', ': kind: expected Pod, found Service.'],
    [
      'a Job',
      '{kind: Job, spec: {template: {spec: {}}}}',
      ': kind: expected Pod, found Job. Its template is the pod that is meant.',
    ],
    ['a misspelt field', '{spec: {volume: []}}', ': spec.volume: there is no such field. Did you mean volumes?'],
    [
      'a misspelt field of a container',
      '{spec: {containers: [{name: base, imagePullPolcy: Never}]}}',
      ': spec.containers[0].imagePullPolcy: there is no such field. Did you mean imagePullPolicy?',
    ],
    ['a status', '{status: {phase: Running}}', ': status: is the cluster’s to write. Leave it out.'],
    ['a uid', '{metadata: {uid: x}}', ': metadata.uid: is the cluster’s to write. Leave it out.'],
    ['a list for the spec', '{spec: []}', ': spec: expected a mapping, found a list.'],
  ])('%s', (_, text, sentence) => {
    for (const input of ['pod_template_dict', 'full_pod_spec', 'pod_patch'])
      expect(refusal({ [input]: text }).text).toBe(`${input}${sentence}`);
  });

  test('two in one template', () => {
    expect(refusal({ pod_template_dict: 'kind: Pod\n---\nkind: Pod' }).text).toBe(
      'pod_template_dict: this is not valid YAML: it holds more than one document; only one is expected.',
    );
  });

  test('a directive of a patch, but in a patch', () => {
    for (const input of ['pod_template_dict', 'full_pod_spec'])
      expect(refusal({ [input]: '{spec: {$patch: replace}}' }).text).toBe(
        `${input}: spec.$patch: directives of a strategic merge patch are for pod_patch alone.`,
      );
    expect(
      podOf({ pod_patch: '{metadata: {annotations: {$patch: merge, a: b}}}' }).metadata?.annotations,
    ).toMatchObject({ a: 'b' });
  });

  test.each([
    'null',
    '~',
    '# nothing yet',
    '{}',
    '{spec: {}}',
    '{status: {}}',
    '{metadata: {creationTimestamp: null}}',
  ])('not one that says nothing: %s', text => {
    for (const input of ['pod_template_dict', 'full_pod_spec', 'pod_patch'])
      expect(podOf({ [input]: text })).toStrictEqual(podOf({}));
  });
});

/** What each input takes away from a template that has the field. */
const TEMPLATE = [
  'metadata: {name: theirs, namespace: theirs, labels: {a: b}, annotations: {a: b}}',
  'spec:',
  '  nodeSelector: {a: b}',
  '  affinity: {nodeAffinity: {}}',
  '  tolerations: [{key: a}]',
  '  runtimeClassName: a',
  '  priorityClassName: a',
  '  schedulerName: a',
  '  serviceAccountName: a',
  '  automountServiceAccountToken: true',
  '  hostNetwork: true',
  '  hostAliases: [{ip: 1.1.1.1}]',
  '  hostname: a',
  '  subdomain: a',
  '  dnsPolicy: Default',
  '  dnsConfig: {searches: [a]}',
  '  securityContext: {runAsUser: 1}',
  '  terminationGracePeriodSeconds: 1',
  '  activeDeadlineSeconds: 1',
  '  imagePullSecrets: [{name: a}]',
  '  initContainers: [{name: a, image: b}]',
  '  volumes: [{name: a, emptyDir: {}}]',
  '  containers:',
  '  - name: base',
  '    image: theirs',
  '    imagePullPolicy: Never',
  '    command: [a]',
  '    args: [a]',
  '    workingDir: /a',
  '    env: [{name: A, value: a}]',
  '    envFrom: [{secretRef: {name: a}}]',
  '    ports: [{containerPort: 1}]',
  '    volumeMounts: []',
  '    resources: {limits: {cpu: 1}}',
  '    securityContext: {runAsUser: 1}',
  '    terminationMessagePolicy: FallbackToLogsOnError',
].join('\n');

const CONTAINER_FIELDS: [input: string, field: string, empty: string[]][] = [
  ['image_pull_policy', 'imagePullPolicy', ['null', '""', "''"]],
  ['working_dir', 'workingDir', ['null', '""']],
  ['cmds', 'command', ['null']],
  ['arguments', 'args', ['null']],
  ['env_vars', 'env', ['null', '[]', '{}', '~']],
  ['env_from', 'envFrom', ['null', '[]']],
  ['ports', 'ports', ['null', '[]']],
  ['volume_mounts', 'volumeMounts', ['null', '[]']],
  ['container_resources', 'resources', ['null', '{}']],
  ['resources', 'resources', ['{}']],
  ['container_security_context', 'securityContext', ['null', '{}']],
  ['termination_message_policy', 'terminationMessagePolicy', ['null', '""']],
];
const SPEC_FIELDS: [input: string, field: string, empty: string[]][] = [
  ['node_selector', 'nodeSelector', ['null', '{}']],
  ['affinity', 'affinity', ['null', '{}']],
  ['tolerations', 'tolerations', ['null', '[]']],
  ['runtime_class_name', 'runtimeClassName', ['null', '""']],
  ['priority_class_name', 'priorityClassName', ['null', '""']],
  ['schedulername', 'schedulerName', ['null', '""']],
  ['service_account_name', 'serviceAccountName', ['null', '""']],
  ['automount_service_account_token', 'automountServiceAccountToken', ['null', '""']],
  ['hostnetwork', 'hostNetwork', ['null', '""']],
  ['host_aliases', 'hostAliases', ['null', '[]']],
  ['hostname', 'hostname', ['null', '""', "''"]],
  ['subdomain', 'subdomain', ['null', '""']],
  ['dnspolicy', 'dnsPolicy', ['null', '""']],
  ['dns_config', 'dnsConfig', ['null', '{}']],
  ['security_context', 'securityContext', ['null', '{}']],
  ['termination_grace_period', 'terminationGracePeriodSeconds', ['null', '""']],
  ['image_pull_secrets', 'imagePullSecrets', ['null', '[]']],
  ['init_containers', 'initContainers', ['null', '[]']],
  ['volumes', 'volumes', ['null', '[]']],
];

describe('explicit emptiness takes away what a template has', () => {
  const full = podOf({ pod_template_dict: TEMPLATE });
  const cases = (fields: typeof SPEC_FIELDS) =>
    fields.flatMap(([input, field, texts]) => texts.map(text => [input, text, field] as const));

  test.each(cases(CONTAINER_FIELDS))('%s: %s', (input, text, field) => {
    const all = baseOf({ pod_template_dict: TEMPLATE });
    expect(all).toHaveProperty(field);
    const { [field as 'image']: _, ...others } = all;
    expect(baseOf({ pod_template_dict: TEMPLATE, [input]: text })).toStrictEqual(others);
  });

  test.each(cases(SPEC_FIELDS))('%s: %s', (input, text, field) => {
    expect(full.spec).toHaveProperty(field);
    const { [field as 'hostname']: _, ...others } = { ...full.spec };
    expect(podOf({ pod_template_dict: TEMPLATE, [input]: text }).spec).toStrictEqual(others);
  });

  test.each(['labels', 'annotations'] as const)('%s: null or {}', input => {
    for (const text of ['null', '{}']) {
      const { metadata } = podOf({ pod_template_dict: TEMPLATE, [input]: text });
      expect(full.metadata?.[input]).toHaveProperty('a');
      expect(metadata?.[input]).not.toHaveProperty('a');
      expect(Object.keys(metadata?.[input] ?? {})).not.toEqual([]);
    }
  });

  test.each(['null', '""'])('name and namespace: %s', text => {
    const { metadata } = podOf({ pod_template_dict: TEMPLATE, name: text, namespace: text });
    expect(metadata?.name).toMatch(/^pod-step-/);
    expect(metadata).not.toHaveProperty('namespace');
  });

  test.each(['null', '""'])('active_deadline_seconds: %s, where the longest job takes its place', text => {
    const { spec } = podOf({ pod_template_dict: TEMPLATE, active_deadline_seconds: text });
    expect(spec).toStrictEqual({ ...full.spec, activeDeadlineSeconds: 432_600 });
  });

  test('cmds and arguments: [], which is also what the container is given', () => {
    const { command, args } = baseOf({ pod_template_dict: TEMPLATE, cmds: '[]', arguments: '[]' });
    expect([command, args]).toEqual([[], []]);
  });

  test.each(['configmaps', 'secrets', 'secret_env', 'secret_files', 'pod_runtime_info_envs'])(
    '%s, which is no field of its own, adds nothing and takes nothing away',
    input => {
      for (const text of ['null', input.endsWith('s') && !input.startsWith('secret_') ? '[]' : '{}'])
        expect(podOf({ pod_template_dict: TEMPLATE, [input]: text })).toStrictEqual(full);
    },
  );
});

describe('what is false, zero or empty in a pod counts', () => {
  test.each([
    ['hostNetwork: true', 'hostNetwork: false', { hostNetwork: false }],
    ['terminationGracePeriodSeconds: 9', 'terminationGracePeriodSeconds: 0', { terminationGracePeriodSeconds: 0 }],
    [
      'automountServiceAccountToken: true',
      'automountServiceAccountToken: false',
      { automountServiceAccountToken: false },
    ],
    ['tolerations: [{key: a}]', 'tolerations: []', { tolerations: [] }],
    ['hostname: a', 'hostname: ""', { hostname: '' }],
  ])('%s under %s', (template, over, expected) => {
    const given = { pod_template_dict: `{spec: {${template}}}` };
    expect(podOf({ ...given, full_pod_spec: `{spec: {${over}}}` }).spec).toMatchObject(expected);
    expect(podOf({ ...given, pod_patch: `{spec: {${over}}}` }).spec).toMatchObject(expected);
  });
});
