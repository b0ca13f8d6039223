import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ResultInputs, readResult } from '../../../src/github/inputs/result.ts';
import { DEFAULTS_FILE, read, reading, refusal } from './given.ts';

const defaults: ResultInputs = {
  mode: 'auto',
  multiple: false,
  sidecarImage: 'public.ecr.aws/docker/library/busybox:1.37',
};

test.each<[what: string, given: Record<string, string>, expected: Partial<ResultInputs>]>([
  ['nothing was said', {}, {}],
  ['there may be a result', { do_xcom_push: 'auto' }, { mode: 'auto' }],
  ['there has to be one', { do_xcom_push: 'true' }, { mode: 'required' }],
  ['there has to be one, as Python writes it', { do_xcom_push: 'True' }, { mode: 'required' }],
  ['nobody looks', { do_xcom_push: 'false' }, { mode: 'none' }],
  ['nobody looks, as Python writes it', { do_xcom_push: 'False' }, { mode: 'none' }],
  ['each key becomes an output', { multiple_outputs: 'true' }, { multiple: true }],
  ['each key becomes an output, as Python writes it', { multiple_outputs: 'True' }, { multiple: true }],
  ['no key does, as Python writes it', { multiple_outputs: 'False' }, {}],
  ['Python says nothing of keys', { multiple_outputs: 'None' }, {}],
  ['nobody looks, and no key is wanted', { do_xcom_push: 'false', multiple_outputs: 'false' }, { mode: 'none' }],
  ['it goes to a file', { result_file: 'build/result.json' }, { file: 'build/result.json' }],
  [
    'the file is in the workspace by its absolute path',
    { result_file: join(process.cwd(), 'r.json') },
    { file: join(process.cwd(), 'r.json') },
  ],
  [
    'its sidecar is of another image',
    { xcom_sidecar_container_image: 'registry.example/busybox@sha256:0' },
    { sidecarImage: 'registry.example/busybox@sha256:0' },
  ],
])('where %s, that is read', (_, given, expected) => {
  expect(read(given).result).toStrictEqual({ ...defaults, ...expected });
});

test('defaults of many steps count, and the step’s own win', () => {
  const shared = 'do_xcom_push: true\nmultiple_outputs: true\nxcom_sidecar_container_image: mirror/busybox\n';
  expect(read({ multiple_outputs: 'false' }, { defaults: shared }).result).toStrictEqual({
    mode: 'required',
    multiple: false,
    sidecarImage: 'mirror/busybox',
  });
});

describe('what is for the sidecar', () => {
  const warnings = (given: Record<string, string>, defaults?: string): string[] => {
    const reader = reading(given, { ...(defaults !== undefined && { defaults }) });
    readResult(reader, undefined, { helperImage: 'helper:1', hasSidecar: false });
    return [...reader.warnings];
  };
  const image = { xcom_sidecar_container_image: 'busybox' };
  const securityContext = { xcom_sidecar_container_security_context: '{runAsUser: 1}' };

  test.each([{}, { do_xcom_push: 'auto' }, { do_xcom_push: 'false' }])(
    'changes nothing without one, with %j',
    given => {
      expect(warnings({ ...given, ...image })).toEqual([
        'xcom_sidecar_container_image: there is no sidecar without do_xcom_push: true, so it changes nothing.',
      ]);
      expect(warnings({ ...given, ...image, ...securityContext })).toEqual([
        'xcom_sidecar_container_image, xcom_sidecar_container_security_context: there is no sidecar without do_xcom_push: true, so they change nothing.',
      ]);
    },
  );

  test('has one, with do_xcom_push: true', () => {
    expect(warnings({ do_xcom_push: 'true', ...image, ...securityContext })).toEqual([]);
  });

  test('may be a default of many steps, of which some have one', () => {
    expect(warnings({}, 'xcom_sidecar_container_image: busybox')).toEqual([]);
  });
});

test.each([
  ['r.log', 'r.log'],
  ['./out//r.log', 'out/./r.log'],
  [join(process.cwd(), 'r.log'), 'r.log'],
])('result_file %j and log_file %j are refused, being one file', (result_file, log_file) => {
  expect(refusal({ result_file, log_file }).text).toBe(
    `result_file: "${result_file}" is log_file too. Give each a file of its own.`,
  );
});

test('result_file and log_file may be beside each other', () => {
  expect(read({ result_file: 'out/r.json', log_file: 'out/r.log' }).result.file).toBe('out/r.json');
});

describe('what is refused:', () => {
  const without = 'do_xcom_push is false, so there is no result. Set it to true, or leave one of them out.';
  test.each<[given: Record<string, string>, sentence: string]>([
    [{ do_xcom_push: 'yes' }, 'do_xcom_push: expected auto, false or true, found "yes".'],
    [{ multiple_outputs: 'all' }, 'multiple_outputs: expected true or false, found "all".'],
    [
      { result_file: '../r.json' },
      `result_file: "../r.json" is outside of the workspace, ${process.cwd()}; expected a path in it.`,
    ],
    [
      { result_file: '/etc/r.json' },
      `result_file: "/etc/r.json" is outside of the workspace, ${process.cwd()}; expected a path in it.`,
    ],
    [
      { result_file: '.git/config' },
      'result_file: ".git/config" is in .git, where a file can act on the job; choose another place.',
    ],
    [{ result_file: 'src' }, 'result_file: "src" is a folder; expected the path of a file.'],
    [{ result_file: 'out/' }, 'result_file: "out/" is a folder; expected the path of a file.'],
    [{ do_xcom_push: 'false', result_file: 'r.json' }, `result_file: ${without}`],
    [{ do_xcom_push: 'False', multiple_outputs: 'True' }, `multiple_outputs: ${without}`],
  ])('%j', (given, sentence) => expect(refusal(given).text).toBe(sentence));

  test('both inputs of a result that nobody looks for, at once', () => {
    const { text } = refusal({ do_xcom_push: 'false', result_file: 'r.json', multiple_outputs: 'true' });
    expect(text.split('\n')).toEqual([`- result_file: ${without}`, `- multiple_outputs: ${without}`]);
  });

  test('by its defaults file, with its name', () => {
    expect(refusal({}, { defaults: 'result_file: ../r.json' }).text).toContain(
      `defaults_file (${DEFAULTS_FILE}): result_file: "../r.json" is outside of the workspace`,
    );
  });
});

describe('the workspace of the job', () => {
  let workspace: string;
  beforeAll(() => {
    workspace = mkdtempSync(join(tmpdir(), 'workspace-'));
    symlinkSync('/etc/passwd', join(workspace, 'link.json'));
  });
  afterAll(() => rmSync(workspace, { recursive: true }));

  test('is what the path has to be in', () => {
    const own = { GITHUB_WORKSPACE: workspace };
    expect(read({ result_file: join(workspace, 'r.json') }, { own })).toMatchObject({
      workspace,
      result: { file: join(workspace, 'r.json') },
    });
    expect(refusal({ result_file: join(process.cwd(), 'r.json') }, { own }).text).toContain(
      `is outside of the workspace, ${workspace};`,
    );
  });

  test('has no link that is written through', () => {
    expect(refusal({ result_file: 'link.json' }, { own: { GITHUB_WORKSPACE: workspace } }).text).toBe(
      'result_file: "link.json" is a symbolic link, to "/etc/passwd"; nothing is written through a link.',
    );
  });
});
