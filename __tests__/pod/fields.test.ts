import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { FIELDS } from '../../src/pod/fields.ts';
import { fieldNamed, fieldsOf } from '../../src/pod/schema.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const all = Object.keys(FIELDS).flatMap(model =>
  [...(fieldsOf(model)?.values() ?? [])].map(field => ({ model, field })),
);

test("the table is what client-node's models give", async () => {
  await promisify(execFile)(process.execPath, [join(ROOT, 'dev', 'fields.ts'), '--check']);
}, 30_000);

test('every type in it is one that it has, or plain', () => {
  const types = new Set(all.map(({ field }) => field.type.replace(/[[\]{}]/g, '')));
  const plain = ['string', 'number', 'boolean', 'IntOrString', 'any'];
  expect([...types].filter(type => !plain.includes(type) && fieldsOf(type) === undefined)).toEqual([]);
});

test.each([
  ['V1PodSpec', 'containers!', '[V1Container]'],
  ['V1PodSpec', 'nodeSelector', '{string}'],
  ['V1PodSpec', 'hostNetwork', 'boolean'],
  ['V1PodSpec', 'activeDeadlineSeconds', 'number'],
  ['V1HTTPGetAction', 'port!', 'IntOrString'],
  ['V1ResourceRequirements', 'limits', '{string}'],
  ['V1ResourceRequirements', 'claims', '[CoreV1ResourceClaim]'],
  ['V1ObjectMeta', 'creationTimestamp', 'string'],
  ['V1Pod', 'status', 'any'],
])('%s has %s, which is %s', (model, name, type) => {
  const bare = name.replace('!', '');
  expect(fieldsOf(model)?.get(bare)).toEqual({ name: bare, type, required: name.endsWith('!') });
});

/** What the generator of the Python client makes of a name (openapi-generator's `underscore`). */
function pythonName(name: string): string {
  return name
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .toLowerCase();
}

test('every field is found by the name that the Python models have for it', () => {
  const missed = all.filter(({ model, field }) => fieldNamed(model, pythonName(field.name))?.name !== field.name);
  expect(missed).toEqual([]);
});

test.each([
  ['V1ContainerPort', 'host_ip', 'hostIP'],
  ['V1PodSpec', 'host_pid', 'hostPID'],
  ['V1PodSpec', 'set_hostname_as_fqdn', 'setHostnameAsFQDN'],
  ['V1PodSecurityContext', 'fs_group', 'fsGroup'],
  ['V1FCVolumeSource', 'target_ww_ns', 'targetWWNs'],
  ['V1SecurityContext', 'proc_mount', 'procMount'],
  ['V1VolumeProjection', 'cluster_trust_bundle', 'clusterTrustBundle'],
  ['V1Volume', 'downward_api', 'downwardAPI'],
  ['V1Volume', 'aws_elastic_block_store', 'awsElasticBlockStore'],
  ['V1GlusterfsVolumeSource', 'endpoints', 'endpoints'],
])('%s.%s is %s', (model, python, name) => {
  expect(fieldNamed(model, python)?.name).toBe(name);
});

test('no two fields of a model are spelt alike without case and underscores', () => {
  for (const model of Object.keys(FIELDS)) {
    const folded = [...(fieldsOf(model)?.keys() ?? [])].map(name => name.toLowerCase());
    expect(new Set(folded).size).toBe(folded.length);
  }
});

test('what only looks like one is none', () => {
  expect(fieldNamed('V1PodSpec', 'hostnetwork')).toBeUndefined();
  expect(fieldNamed('V1PodSpec', 'Host_Network')).toBeUndefined();
  expect(fieldNamed('V1PodSpec', 'constructor')).toBeUndefined();
  expect(fieldNamed('V1Nothing', 'name')).toBeUndefined();
  expect(fieldsOf('constructor')).toBeUndefined();
});
