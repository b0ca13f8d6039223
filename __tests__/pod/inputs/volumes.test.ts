import { describe, expect, test } from '@jest/globals';
import { planned, refusal } from '../planned.ts';

describe('volumes are refused', () => {
  test.each([
    ['text', 'data', 'volumes: expected a list, found text.'],
    ['a mapping', '{name: data}', 'volumes: expected a list, found a mapping.'],
    ['names', '[data]', 'volumes[0]: expected a mapping, found text.'],
    ['nothing', '[null]', 'volumes[0]: expected a value, found nothing. Remove the item, or write what is meant.'],
    ['without a name', '[{emptyDir: {}}]', 'volumes[0]: has no name, which Kubernetes requires.'],
    [
      'with a name in capitals',
      '[{name: Data, emptyDir: {}}]',
      'volumes[0].name: "Data" is no valid name: lower-case letters, digits and dashes, at most 63, neither first nor last a dash.',
    ],
    [
      'of one name',
      '[{name: a, emptyDir: {}}, {name: a, hostPath: {path: /x}}]',
      'volumes[1]: has the same name (a) as item 0. Remove or rename one of them.',
    ],
    [
      'with a misspelt kind',
      '[{name: a, emptydir: {}}]',
      'volumes[0].emptydir: there is no such field. Did you mean emptyDir?',
    ],
    [
      'with a misspelt field in the older form',
      '[{name: a, configs: {persistentVolumeClaim: {claimname: x}}}]',
      'volumes[0].persistentVolumeClaim.claimname: there is no such field. Did you mean claimName?',
    ],
    [
      'with a claim that has no name',
      '[{name: a, persistentVolumeClaim: {}}]',
      'volumes[0].persistentVolumeClaim: has no claimName, which Kubernetes requires.',
    ],
  ])('%s', (_, text, sentence) => expect(refusal({ volumes: text }).text.split('\n')[0]).toMatch(sentence));

  test('of a name that a mount of secret_files has', () => {
    const { plan, reader } = planned({
      volumes: '[{name: secret-files, emptyDir: {}}]',
      volume_mounts: '[{name: secret-files, mountPath: /mine}]',
      secret_files: '{/etc/a: hunter2}',
    });
    expect(reader.problems).toEqual([]);
    expect(plan.pod.spec?.volumes).toHaveLength(2);
  });
});

describe('mounts are refused', () => {
  const volumes = '[{name: data, emptyDir: {}}]';

  test.each([
    [
      'of a volume there is not',
      '[{name: dta, mountPath: /x}]',
      'volume_mounts[0].name: there is no volume "dta". Did you mean data?',
    ],
    [
      'at a relative path',
      '[{name: data, mountPath: x}]',
      'volume_mounts[0].mountPath: expected an absolute path, found "x".',
    ],
    ['without a path', '[{name: data}]', 'volume_mounts[0]: has no mountPath, which Kubernetes requires.'],
    [
      'twice at one path',
      '[{name: data, mountPath: /x}, {name: data, mount_path: /x}]',
      'volume_mounts[1]: has the same mountPath (/x) as item 0. Remove or rename one of them.',
    ],
    [
      'with one field in two spellings',
      '[{name: data, mountPath: /x, mount_path: /y}]',
      'volume_mounts[0].mount_path: is the same field as mountPath. Keep one of them.',
    ],
    [
      'by the position of the arguments, as Airflow has them',
      '[[data, /x, null, true]]',
      'volume_mounts[0]: expected a mapping, found a list. Write {name: data, mountPath: /x, readOnly: true}.',
    ],
    [
      'out of the volume',
      '[{name: data, mountPath: /x, subPath: ../y}]',
      'volume_mounts[0].subPath: expected a relative path without "..", found "../y".',
    ],
  ])('%s', (_, text, sentence) => expect(refusal({ volumes, volume_mounts: text }).text).toBe(sentence));

  test('where there are no volumes at all', () => {
    expect(refusal({ volume_mounts: '[{name: data, mountPath: /x}]' }).text).toBe(
      'volume_mounts[0].name: there is no volume "data". The pod has no volumes: add it to `volumes`.',
    );
  });

  test('at a path where a Secret is', () => {
    const secrets = '[{deploy_type: volume, deploy_target: /x, secret: a}]';
    expect(refusal({ volumes, volume_mounts: '[{name: data, mountPath: /x}]', secrets }).text).toBe(
      'secrets[0]: /x is set by volume_mounts too. One of the two would be lost; remove or rename it.',
    );
  });
});

describe('pull Secrets are refused', () => {
  test.each([
    [
      'a mapping',
      '{name: a}',
      'image_pull_secrets: expected a list of names, or names with commas between; found a mapping.',
    ],
    ['another field', '[{secret: a}]', 'image_pull_secrets[0]: expected a name, or {name: registry}; found a mapping.'],
    ['nothing', '[a, null]', 'image_pull_secrets[1]: expected a name, or {name: registry}; found nothing.'],
    ['a list in the list', '[[a]]', 'image_pull_secrets[0]: expected a name, or {name: registry}; found a list.'],
    [
      'a name in capitals',
      'RegCred',
      'image_pull_secrets[0].name: "RegCred" is no valid name: lower-case letters, digits, dashes and dots, at most 253, first and last a letter or digit.',
    ],
  ])('%s', (_, text, sentence) => expect(refusal({ image_pull_secrets: text }).text).toBe(sentence));
});
