import { describe, expect, test } from '@jest/globals';
import { readWorkspaceVolume } from '../../../src/pod/inputs/workspace-volume.ts';
import { reading } from '../../github/inputs/given.ts';
import { planned, refusal } from '../planned.ts';

const read = (workspace_volume: string) => {
  const reader = reading({ workspace_volume });
  return { volume: readWorkspaceVolume(reader), problems: reader.problems };
};

test.each<[text: string, expected: object | undefined]>([
  ['', undefined],
  ['null', undefined],
  ['data', { source: { persistentVolumeClaim: { claimName: 'data' } } }],
  ['" data "', { source: { persistentVolumeClaim: { claimName: 'data' } } }],
  ['007', { source: { persistentVolumeClaim: { claimName: '007' } } }],
  ['{emptyDir: {}}', { source: { emptyDir: {} } }],
  ['{empty_dir: {size_limit: 50Gi}}', { source: { emptyDir: { sizeLimit: '50Gi' } } }],
  [
    '{persistentVolumeClaim: {claimName: data}, subPath: a/b}',
    { source: { persistentVolumeClaim: { claimName: 'data' } }, subPath: 'a/b' },
  ],
  ['{nfs: {server: s, path: /p}, sub_path: 1}', { source: { nfs: { server: 's', path: '/p' } }, subPath: '1' }],
  ['{name: mine, emptyDir: {}}', { source: { emptyDir: {} } }],
])('workspace_volume: %s', (text, volume) => expect(read(text)).toEqual({ volume, problems: [] }));

describe('is refused:', () => {
  test.each<[text: string, sentence: string]>([
    [
      '[data]',
      'workspace_volume: expected the name of a claim, or a volume, e.g. {emptyDir: {sizeLimit: 50Gi}}; found a list.',
    ],
    ['{}', 'workspace_volume: expected one kind of volume, found none.'],
    ['{subPath: a}', 'workspace_volume: expected one kind of volume, found none.'],
    [
      '{emptyDir: {}, hostPath: {path: /x}}',
      'workspace_volume: expected one kind of volume, found emptyDir, hostPath.',
    ],
    ['{emptyDir: {}, subPath: [a]}', 'workspace_volume.subPath: expected text, found a list.'],
    ['{emptyDir: {}, sub_path: null}', 'workspace_volume.subPath: expected text, found nothing.'],
    ['{emptydir: {}}', 'workspace_volume.emptydir: there is no such field. Did you mean emptyDir?'],
    [
      '{emptyDir: {sizelimit: 1Gi}}',
      'workspace_volume.emptyDir.sizelimit: there is no such field. Did you mean sizeLimit?',
    ],
  ])('%s', (text, sentence) => expect(read(text).problems).toEqual(expect.arrayContaining([sentence])));

  test('a claim without a name', () => {
    expect(refusal({ workspace_volume: '{persistentVolumeClaim: {}}' }).text).toContain(
      'has no claimName, which Kubernetes requires.',
    );
  });
});

test.each(['|', '""', 'Not_A_Name', '-x', '{persistentVolumeClaim: {}}', '{hostPath: {path: /a}, subPath: ../b}'])(
  'what no cluster takes, %s, is told under its name',
  volume => {
    const { problems } = planned({ image: 'a', workspace_volume: volume }).reader;
    expect(problems).not.toEqual([]);
    expect(problems.filter(problem => !problem.startsWith('workspace_volume'))).toEqual([]);
  },
);
