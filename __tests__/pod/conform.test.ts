import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseYaml, plain } from '../../src/github/yaml.ts';
import { conform, conformField } from '../../src/pod/conform.ts';
import { FIELDS } from '../../src/pod/fields.ts';
import type { Json, JsonObject } from '../../src/pod/json.ts';
import { isMistyped } from '../../src/pod/mistyped.ts';
import { spellOut } from '../../src/pod/positional.ts';
import { fieldsOf } from '../../src/pod/schema.ts';
import { anyPod } from '../support/schema-pods.ts';

/** What the YAML comes to, and what is said of it. */
function read(yaml: string, type: string, strategic = false) {
  const problems: string[] = [];
  const value = conform(parseYaml(yaml), type, (path, sentence) => problems.push(`${path}: ${sentence}`), strategic);
  return { value, problems };
}

describe('each type takes what it is meant to take', () => {
  test.each<[what: string, type: string, yaml: string, value: Json]>([
    ['text', 'V1Container', 'image: busybox', { image: 'busybox' }],
    [
      'text that looks like a number keeps its characters',
      'V1EnvVar',
      '{name: A, value: 1.10}',
      { name: 'A', value: '1.10' },
    ],
    ['text that looks like an octal number', 'V1EnvVar', '{name: A, value: 0400}', { name: 'A', value: '0400' }],
    ['text that looks like a hexadecimal number', 'V1EnvVar', '{name: A, value: 0xFF}', { name: 'A', value: '0xFF' }],
    [
      'text that looks like a large number',
      'V1EnvVar',
      '{name: A, value: 12345678901234567890}',
      { name: 'A', value: '12345678901234567890' },
    ],
    ['text that looks like true', 'V1EnvVar', '{name: A, value: True}', { name: 'A', value: 'True' }],
    ['text that old YAML took for true', 'V1EnvVar', '{name: A, value: yes}', { name: 'A', value: 'yes' }],
    ['text that looks like a date', 'V1EnvVar', '{name: A, value: 2024-01-02}', { name: 'A', value: '2024-01-02' }],
    ['a name that looks like a number', 'V1EnvVar', 'name: 1', { name: '1' }],
    ['empty text', 'V1EnvVar', '{name: A, value: ""}', { name: 'A', value: '' }],
    ['null', 'V1PodSpec', 'affinity: null', { affinity: null }],
    ['nothing, which is null', 'V1PodSpec', 'affinity:', { affinity: null }],
    ['a number', 'V1PodSpec', 'activeDeadlineSeconds: 60', { activeDeadlineSeconds: 60 }],
    ['0', 'V1PodSpec', 'terminationGracePeriodSeconds: 0', { terminationGracePeriodSeconds: 0 }],
    ['an octal mode', 'V1SecretVolumeSource', 'defaultMode: 0400', { defaultMode: 256 }],
    ['a mode of YAML 1.2', 'V1SecretVolumeSource', 'defaultMode: 0o400', { defaultMode: 256 }],
    ['a number with an exponent', 'V1PodSpec', 'activeDeadlineSeconds: 1e3', { activeDeadlineSeconds: 1000 }],
    ['true', 'V1PodSpec', 'hostNetwork: true', { hostNetwork: true }],
    ['False, as in Python', 'V1PodSpec', 'hostNetwork: False', { hostNetwork: false }],
    ['a port by its number', 'V1HTTPGetAction', 'port: 80', { port: 80 }],
    ['a port by its name', 'V1HTTPGetAction', 'port: http', { port: 'http' }],
    ['a list', 'V1Container', 'args: [a, 1.0, true]', { args: ['a', '1.0', 'true'] }],
    ['an empty list', 'V1Container', 'args: []', { args: [] }],
    ['a list of numbers', 'V1PodSecurityContext', 'supplementalGroups: [1, 2]', { supplementalGroups: [1, 2] }],
    [
      'quantities as they are written',
      'V1ResourceRequirements',
      'limits: {cpu: 0.50, memory: 1Gi}',
      { limits: { cpu: '0.50', memory: '1Gi' } },
    ],
    ['an empty mapping', 'V1PodSpec', 'nodeSelector: {}', { nodeSelector: {} }],
    [
      'labels as they are written',
      'V1ObjectMeta',
      'labels: {version: 1.10, on: yes, 1: 2}',
      { labels: { version: '1.10', on: 'yes', '1': '2' } },
    ],
  ])('%s', (_, type, yaml, value) => expect(read(yaml, type)).toEqual({ value, problems: [] }));
});

describe("keys get the API's own spelling", () => {
  test.each<[yaml: string, type: string, value: Json]>([
    [
      '{mount_path: /a, name: a, sub_path: b, read_only: true}',
      'V1VolumeMount',
      { mountPath: '/a', name: 'a', subPath: 'b', readOnly: true },
    ],
    ['persistent_volume_claim: {claim_name: a}', 'V1Volume', { persistentVolumeClaim: { claimName: 'a' } }],
    [
      'value_from: {field_ref: {field_path: status.hostIP}}',
      'V1EnvVar',
      { valueFrom: { fieldRef: { fieldPath: 'status.hostIP' } } },
    ],
    [
      'host_aliases: [{ip: 1.1.1.1, hostnames: [a]}]',
      'V1PodSpec',
      { hostAliases: [{ ip: '1.1.1.1', hostnames: ['a'] }] },
    ],
  ])('%s', (yaml, type, value) => expect(read(yaml, type)).toEqual({ value, problems: [] }));

  test("but not where they are the user's", () => {
    const yaml = 'labels: {host_ip: a, mount_path: b}\nannotations: {run_as_user: c}';
    expect(read(yaml, 'V1ObjectMeta').value).toEqual(parseYaml(yaml));
    expect(read('node_selector: {host_ip: a}', 'V1PodSpec').value).toEqual({ nodeSelector: { host_ip: 'a' } });
    expect(read('limits: {ephemeral_storage: a}', 'V1ResourceRequirements').value).toEqual({
      limits: { ephemeral_storage: 'a' },
    });
  });

  test('and one field under two spellings is one too many', () => {
    expect(read('{mountPath: /a, mount_path: /b}', 'V1VolumeMount').problems).toEqual([
      '.mount_path: is the same field as mountPath. Keep one of them.',
    ]);
  });
});

/** Each row: what is wrong, where it stands, the YAML, and the sentence. */
describe('what is wrong is told by its place', () => {
  test.each<[what: string, type: string, yaml: string, ...problems: string[]]>([
    ['a list for a mapping', 'V1PodSpec', 'affinity: []', '.affinity: expected a mapping, found a list.'],
    [
      'text for a mapping',
      'V1PodSpec',
      'nodeSelector: pool',
      '.nodeSelector: expected a mapping such as {key: value}, found text.',
    ],
    [
      'a mapping for a list',
      'V1PodSpec',
      'tolerations: {key: a}',
      '.tolerations: expected a list, found a mapping. Write [{...}] for a list of one.',
    ],
    ['text for a list', 'V1Container', 'command: sleep 1', '.command: expected a list, found text.'],
    ['a mapping for text', 'V1PodSpec', 'hostname: {a: b}', '.hostname: expected text, found a mapping.'],
    [
      'a list for text',
      'V1PodSpec',
      'containers: [{image: [a]}]',
      '.containers[0].image: expected text, found a list.',
    ],
    [
      'a mapping for a value of the user’s',
      'V1ObjectMeta',
      'labels: {a.io/b: {c: d}}',
      '.labels[a.io/b]: expected text, found a mapping.',
    ],
    [
      'a number in quotes',
      'V1PodSpec',
      'activeDeadlineSeconds: "60"',
      '.activeDeadlineSeconds: expected a number, found text. Remove the quotes around it.',
    ],
    [
      'text for a number',
      'V1PodSpec',
      'activeDeadlineSeconds: 60s',
      '.activeDeadlineSeconds: expected a number, found text.',
    ],
    ['true for a number', 'V1PodSpec', 'priority: true', '.priority: expected a number, found the boolean true.'],
    ['half a number', 'V1PodSpec', 'priority: 1.5', '.priority: expected a whole number, found the number 1.5.'],
    [
      'a boolean in quotes',
      'V1PodSpec',
      'hostNetwork: "true"',
      '.hostNetwork: expected true or false, found text. Remove the quotes around it.',
    ],
    ['yes for a boolean', 'V1PodSpec', 'hostNetwork: yes', '.hostNetwork: expected true or false, found text.'],
    ['1 for a boolean', 'V1PodSpec', 'hostNetwork: 1', '.hostNetwork: expected true or false, found the number 1.'],
    ['a list for a port', 'V1HTTPGetAction', 'port: [80]', '.port: expected a number or text, found a list.'],
    [
      'a number that JSON would round',
      'V1PodSecurityContext',
      'runAsUser: 12345678901234567890',
      '.runAsUser: 12345678901234567890 is not a number that can be passed on exactly; the largest is 9007199254740991.',
    ],
    [
      'infinity',
      'V1PodSpec',
      'priority: .inf',
      '.priority: .inf is not a number that can be passed on exactly; the largest is 9007199254740991.',
    ],
    [
      'such a number in a field that is not known',
      'V1PodSpec',
      'newField: {a: [12345678901234567890]}',
      '.newField: holds a number that cannot be passed on exactly; the largest is 9007199254740991. Quote it if it is meant as text.',
    ],
    [
      'nothing in a list',
      'V1Container',
      'args: [a, ]\ncommand:\n- a\n-',
      '.command[1]: expected a value, found nothing. Remove the item, or write what is meant.',
    ],
    ['a mistyped field', 'V1Container', 'imgae: a', '.imgae: there is no such field. Did you mean image?'],
    [
      'one in another case',
      'V1Container',
      'imagepullpolicy: Always',
      '.imagepullpolicy: there is no such field. Did you mean imagePullPolicy?',
    ],
    [
      'one with dashes',
      'V1Container',
      'working-dir: /a',
      '.working-dir: there is no such field. Did you mean workingDir?',
    ],
    [
      'one mistyped in snake case',
      'V1VolumeMount',
      '{mount_pth: /a, name: a}',
      '.mount_pth: there is no such field. Did you mean mountPath?',
    ],
    [
      'one in the singular',
      'V1PodSpec',
      'container: []',
      '.container: there is no such field. Did you mean containers?',
    ],
    [
      'one deep below',
      'V1PodSpec',
      'containers: [{env: [{name: A, valueFrom: {secretKeyRef: {nmae: a, key: b}}}]}]',
      '.containers[0].env[0].valueFrom.secretKeyRef.nmae: there is no such field. Did you mean name?',
    ],
    [
      'one in a claim of a container',
      'V1Container',
      'resources: {claims: [{nam: a}]}',
      '.resources.claims[0].nam: there is no such field. Did you mean name?',
    ],
    [
      'a directive of a patch',
      'V1PodSpec',
      'containers: [{name: a, $patch: delete}]',
      '.containers[0].$patch: directives of a strategic merge patch are for pod_patch alone.',
    ],
    [
      'two at once',
      'V1PodSpec',
      '{hostNetwork: 1, hostPID: 1}',
      '.hostNetwork: expected true or false, found the number 1.',
      '.hostPID: expected true or false, found the number 1.',
    ],
    ['at the top', 'V1PodSpec', '[a]', ': expected a mapping, found a list.'],
    ['in a list at the top', '[V1VolumeMount]', '[a]', '[0]: expected a mapping, found text.'],
    [
      'deep in a list at the top',
      '[V1VolumeMount]',
      '[{mountPath: [a]}]',
      '[0].mountPath: expected text, found a list.',
    ],
    [
      'an argument by its position',
      '[V1VolumeMount]',
      '[[data, /data, null, true]]',
      '[0]: expected a mapping, found a list. Write {name: data, mountPath: /data, readOnly: true}.',
    ],
    [
      'a port by its position',
      '[V1ContainerPort]',
      '[[http, 80]]',
      '[0]: expected a mapping, found a list. Write {name: http, containerPort: 80}.',
    ],
  ])('%s', (_, type, yaml, ...problems) => expect(read(yaml, type).problems).toEqual(problems));
});

describe('two of one name', () => {
  test.each<[what: string, type: string, yaml: string, ...problems: string[]]>([
    [
      'variables',
      'V1Container',
      'env: [{name: A}, {name: B}, {name: A}]',
      '.env[2]: has the same name (A) as env[0]. Remove or rename one of them.',
    ],
    [
      'containers',
      'V1PodSpec',
      'containers: [{name: a}, {name: a}]',
      '.containers[1]: has the same name (a) as containers[0]. Remove or rename one of them.',
    ],
    [
      'volumes',
      'V1PodSpec',
      'volumes: [{name: a}, {name: a}]',
      '.volumes[1]: has the same name (a) as volumes[0]. Remove or rename one of them.',
    ],
    [
      'mounts at one path',
      'V1Container',
      'volumeMounts: [{name: a, mountPath: /}, {name: b, mountPath: /}]',
      '.volumeMounts[1]: has the same mountPath (/) as volumeMounts[0]. Remove or rename one of them.',
    ],
    [
      'ports',
      'V1Container',
      'ports: [{containerPort: 80}, {containerPort: 80, protocol: TCP}]',
      '.ports[1]: has the same containerPort (80/TCP) as ports[0]. Remove or rename one of them.',
    ],
    [
      'ports of two protocols are two',
      'V1Container',
      'ports: [{containerPort: 53}, {containerPort: 53, protocol: UDP}]',
    ],
    [
      'ports on two addresses are two',
      'V1Container',
      'ports: [{containerPort: 80, hostPort: 80, hostIP: 10.0.0.1}, {containerPort: 80, hostPort: 80, hostIP: 10.0.0.2}]',
    ],
    [
      'names for one address are fine',
      'V1PodSpec',
      'hostAliases: [{ip: 10.0.0.1, hostnames: [a]}, {ip: 10.0.0.1, hostnames: [b]}]',
    ],
    [
      'ConfigMaps to take variables from are fine',
      'V1Container',
      'envFrom: [{configMapRef: {name: a}}, {configMapRef: {name: a}}]',
    ],
    ['tolerations are fine', 'V1PodSpec', 'tolerations: [{key: a}, {key: a}]'],
    ['items without a name are for the check to find', 'V1PodSpec', 'volumes: [{emptyDir: {}}, {emptyDir: {}}]'],
  ])('%s', (_, type, yaml, ...problems) => expect(read(yaml, type).problems).toEqual(problems));

  test('in the list that an input is', () => {
    const problems: string[] = [];
    const mounts = parseYaml('[{name: a, mountPath: /a}, {name: b, mount_path: /a}]');
    conformField(mounts, 'V1Container', 'volumeMounts', (path, sentence) => problems.push(`${path}: ${sentence}`));
    expect(problems).toEqual(['[1]: has the same mountPath (/a) as item 0. Remove or rename one of them.']);
  });
});

describe('directives of a patch', () => {
  test.each<[what: string, yaml: string, value: Json]>([
    ['in a mapping', 'spec: {securityContext: {$patch: delete}}', { spec: { securityContext: { $patch: 'delete' } } }],
    [
      'in labels',
      'metadata: {labels: {$patch: replace, a: 1}}',
      { metadata: { labels: { $patch: 'replace', a: '1' } } },
    ],
    [
      'in an item',
      'spec: {containers: [{name: a, $patch: delete}]}',
      { spec: { containers: [{ name: 'a', $patch: 'delete' }] } },
    ],
    [
      'in a pull secret',
      'spec: {image_pull_secrets: [{name: a, $patch: delete}]}',
      { spec: { imagePullSecrets: [{ name: 'a', $patch: 'delete' }] } },
    ],
    ['for a list', 'spec: {volumes: [{$patch: replace}]}', { spec: { volumes: [{ $patch: 'replace' }] } }],
    [
      'for fields, by any of their names',
      'spec: {volumes: [{name: a, host_path: {path: /a}, $retainKeys: [name, host_path]}]}',
      { spec: { volumes: [{ name: 'a', hostPath: { path: '/a' }, $retainKeys: ['name', 'hostPath'] }] } },
    ],
    [
      'for words, as they are written',
      'spec: {containers: [{name: a, $deleteFromPrimitiveList/args: [1.0]}]}',
      { spec: { containers: [{ name: 'a', '$deleteFromPrimitiveList/args': ['1.0'] }] } },
    ],
    [
      'for numbers, by any name of the field',
      'spec: {securityContext: {$deleteFromPrimitiveList/supplemental_groups: [1]}}',
      { spec: { securityContext: { '$deleteFromPrimitiveList/supplementalGroups': [1] } } },
    ],
  ])('%s', (_, yaml, value) => expect(read(yaml, 'V1Pod', true)).toEqual({ value, problems: [] }));

  test.each<[what: string, yaml: string, ...problems: string[]]>([
    [
      'that is none',
      'spec: {$setElementOrder/containers: []}',
      '.spec[$setElementOrder/containers]: expected $patch, $retainKeys or $deleteFromPrimitiveList/FIELD: no other directive is known here.',
    ],
    [
      'of an unknown kind',
      'spec: {securityContext: {$patch: remove}}',
      '.spec.securityContext.$patch: expected delete, replace or merge, found "remove".',
    ],
    [
      'of no kind',
      'spec: {securityContext: {$patch: [delete]}}',
      '.spec.securityContext.$patch: expected delete, replace or merge, found a list.',
    ],
    [
      'of an unknown kind, in labels',
      'metadata: {labels: {$patch: remove}}',
      '.metadata.labels.$patch: expected delete, replace or merge, found "remove".',
    ],
    ['for the whole pod', '$patch: delete', '.$patch: would take the whole pod away.'],
    [
      'for an item that is not named',
      'spec: {containers: [{$patch: delete}]}',
      '.spec.containers[0].$patch: expected a name beside it, to say which item is to be deleted.',
    ],
    [
      'that deletes what stands beside it',
      'spec: {containers: [{name: a, image: b, $patch: delete}]}',
      '.spec.containers[0].$patch: delete would take image away too, which stands beside it. To set it anew, write replace.',
    ],
    [
      'where it has nothing to act on',
      'spec: {tolerations: [{key: a, $patch: delete}]}',
      '.spec.tolerations[0].$patch: the list that it stands in is replaced as a whole. Write it as it is to be, without directives.',
    ],
    [
      'deep in such a list',
      'spec: {affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: a, labelSelector: {$patch: delete}}]}}}',
      '.spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector.$patch: the list that it stands in is replaced as a whole. Write it as it is to be, without directives.',
    ],
    [
      'that drops what stands beside it',
      'spec: {volumes: [{name: a, host_path: {path: /a}, $retainKeys: [name]}]}',
      '.spec.volumes[0].$retainKeys: lacks host_path, which stands beside it and would be lost.',
    ],
    [
      'that names no fields',
      'spec: {volumes: [{name: a, $retainKeys: name}]}',
      '.spec.volumes[0].$retainKeys: expected a list of fields, found text.',
    ],
    [
      'for a list of items',
      'spec: {$deleteFromPrimitiveList/containers: [a]}',
      '.spec[$deleteFromPrimitiveList/containers]: containers is no list of words or numbers. To delete an item by its name, write $patch: delete in it.',
    ],
    [
      'for words that are none',
      'spec: {containers: [{name: a, $deleteFromPrimitiveList/args: x}]}',
      '.spec.containers[0][$deleteFromPrimitiveList/args]: expected a list, found text.',
    ],
  ])('%s', (_, yaml, ...problems) => expect(read(yaml, 'V1Pod', true).problems).toEqual(problems));
});

describe('a field that is newer than our table', () => {
  /** Real ones, with what was there when they came. None may be taken for a slip in the name of another. */
  test('is not taken for a slip, whichever of today’s fields it were', () => {
    const taken = Object.keys(FIELDS).flatMap(model => {
      const names = [...(fieldsOf(model)?.keys() ?? [])];
      return names.flatMap(name =>
        names.filter(other => other !== name && isMistyped(name, other)).map(other => `${model}.${name} for ${other}`),
      );
    });
    expect(taken).toEqual([]);
  });

  test.each([
    ['V1PodSpec', 'hostUsers'],
    ['V1PodSpec', 'workloadRef'],
    ['V1PodSpec', 'podGroups'],
    ['V1Container', 'restartPolicyRulesRef'],
    ['V1PodResourceClaim', 'source'],
    ['V1PodAffinityTerm', 'mismatchFieldKeys'],
    ['V1Volume', 'oci'],
    ['V1Volume', 'nfs4'],
  ])('%s.%s is none', (model, name) => {
    expect([...(fieldsOf(model)?.keys() ?? [])].filter(other => other !== name && isMistyped(name, other))).toEqual([]);
  });

  test.each([
    ['imagePullPolcy', 'imagePullPolicy'],
    ['imagePullPolicyy', 'imagePullPolicy'],
    ['imgePulPolicy', 'imagePullPolicy'],
    ['ImagePullPolicy', 'imagePullPolicy'],
    ['image_pull_polciy', 'imagePullPolicy'],
    ['arg', 'args'],
    ['commands', 'command'],
    ['volumeMount', 'volumeMounts'],
    ['nmae', 'name'],
    ['limit', 'limits'],
    ['tolaretions', 'tolerations'],
    ['terminationGracePeriodSecond', 'terminationGracePeriodSeconds'],
  ])('but %s is %s', (written, meant) => expect(isMistyped(written, meant)).toBe(true));

  /** JavaScript itself would round others. */
  const anyJson = (fc.jsonValue() as fc.Arbitrary<Json>).filter(value => !/\d{17}|e\+/.test(JSON.stringify(value)));

  test('goes through untouched at any depth, whatever is in it', () => {
    const at: [type: string, wrap: (field: JsonObject) => JsonObject][] = [
      ['V1Pod', field => field],
      ['V1Pod', field => ({ spec: field })],
      ['V1Pod', field => ({ spec: { containers: [{ name: 'a', ...field }] } })],
      ['V1Pod', field => ({ spec: { containers: [{ name: 'a', securityContext: { seccompProfile: field } }] } })],
      ['V1Pod', field => ({ spec: { volumes: [{ name: 'a', projected: { sources: [{ secret: field }] } }] } })],
    ];
    fc.assert(
      fc.property(anyJson, fc.constantFrom(...at), (value, [type, wrap]) => {
        const pod = wrap({ brandNewThing: value });
        expect(read(JSON.stringify(pod), type)).toEqual({ value: JSON.parse(JSON.stringify(pod)), problems: [] });
      }),
    );
  });
});

describe('whatever the pod is', () => {
  test('plain JSON of the right types is what it was', () => {
    fc.assert(
      fc.property(anyPod, pod => {
        const text = JSON.stringify(pod);
        expect(read(text, 'V1Pod')).toEqual({ value: JSON.parse(text), problems: [] });
      }),
      { numRuns: 200 },
    );
  });

  test('a second time changes nothing', () => {
    const yaml =
      'metadata: {labels: {a: 1.10}}\nspec: {containers: [{name: 1, args: [0400, yes], volume_mounts: [{mount_path: 1}]}]}';
    const { value } = read(yaml, 'V1Pod');
    expect(read(JSON.stringify(value), 'V1Pod')).toEqual({ value, problems: [] });
  });

  test('any tree at all is read without an accident', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...Object.keys(FIELDS)), fc.boolean(), (value, type, strategic) => {
        read(JSON.stringify(value), type, strategic);
      }),
    );
  });

  test('a key such as __proto__ is a key like any other', () => {
    const text = '{"metadata":{"labels":{"__proto__":"a","constructor":"b"}},"__proto__":{"x":1}}';
    const { value } = read(text, 'V1Pod');
    expect(JSON.stringify(value)).toBe(text);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });
});

describe('arguments by their position', () => {
  test.each<[yaml: string, model: string, meant: string | undefined]>([
    [
      '[env, PASSWORD, db, password]',
      'Secret',
      '{deploy_type: env, deploy_target: PASSWORD, secret: db, key: password}',
    ],
    ['[env, null, db]', 'Secret', '{deploy_type: env, secret: db}'],
    ['[data, /data]', 'V1VolumeMount', '{name: data, mountPath: /data}'],
    ['[data, /data, "a: b", true]', 'V1VolumeMount', '{name: data, mountPath: /data, subPath: "a: b", readOnly: true}'],
    ['[]', 'V1VolumeMount', undefined],
    ['[a, b, c, d, e]', 'V1VolumeMount', undefined],
    ['[[a]]', 'V1VolumeMount', undefined],
    ['[a]', 'V1Toleration', undefined],
    ['[a]', 'constructor', undefined],
    ['a', 'V1VolumeMount', undefined],
    [
      `"Secret('env', 'PASSWORD', 'db', 'password')"`,
      'Secret',
      '{deploy_type: env, deploy_target: PASSWORD, secret: db, key: password}',
    ],
    [
      'k8s.V1VolumeMount(name="data", mount_path="/data", sub_path=None, read_only=True)',
      'V1VolumeMount',
      '{name: data, mount_path: /data, read_only: True}',
    ],
    ["VolumeMount('data', mount_path='/data')", 'V1VolumeMount', '{name: data, mount_path: /data}'],
    ['Secret()', 'Secret', undefined],
    ["Secret('env', f(x))", 'Secret', undefined],
    ['(a, b)', 'Secret', undefined],
  ])('%s for a %s is %s', (yaml, model, meant) => {
    expect(spellOut(parseYaml(yaml), model)).toBe(meant);
    if (meant !== undefined) expect(plain(parseYaml(meant))).toBeInstanceOf(Object);
  });
});
