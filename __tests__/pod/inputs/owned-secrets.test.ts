import { describe, expect, test } from '@jest/globals';
import { readOwnedSecrets } from '../../../src/pod/inputs/owned-secrets.ts';
import { reading } from '../../github/inputs/given.ts';
import { refusal } from '../planned.ts';

const own = { KEY_JSON: '{"a": "$(B)\n"}', EMPTY: '', TOKEN: 'pa$$word' };
const read = (given: Record<string, string>, defaults = '{}') => {
  const reader = reading(given, { own, defaults });
  return { ...readOwnedSecrets(reader), problems: reader.problems, warnings: [...reader.warnings] };
};
const nothing = { problems: [], warnings: [] };

describe('secret_env is read', () => {
  const one = (name: string, value: string) => ({ name, value, from: `secret_env.${name}` });

  test.each([
    ['lines', 'A=hunter2\nB=x=y', [one('A', 'hunter2'), one('B', 'x=y')]],
    ["the step's own variable, as it is, for nothing is expanded in a Secret", 'TOKEN', [one('TOKEN', 'pa$$word')]],
    ['a mapping', '{A: hunter2, B: 0400}', [one('A', 'hunter2'), one('B', '0400')]],
    ['JSON', '{"A": "x: y"}', [one('A', 'x: y')]],
    ['nothing', 'null', []],
    ['nothing, as a mapping', '{}', []],
  ])('%s', (_, text, env) => expect(read({ secret_env: text })).toEqual({ env, files: [], ...nothing }));

  test.each(['A=', '{A: ""}', 'EMPTY'])('with a warning where a value is empty: %s', text => {
    expect(read({ secret_env: text }).warnings).toEqual([
      expect.stringMatching(
        /^secret_env\.(A|EMPTY) is empty\. A secret that is not set, or not for this event, is empty text in a workflow\.$/,
      ),
    ]);
  });

  test('from the defaults', () => {
    expect(read({}, 'secret_env: {A: x}').env).toEqual([
      { name: 'A', value: 'x', from: 'defaults_file (defaults.yaml): secret_env.A' },
    ]);
  });
});

describe('secret_files are read', () => {
  const one = (path: string, content: string) => ({ path, content, from: `secret_files[${path}]` });

  test.each([
    ['content', '{/etc/a: hunter2}', [one('/etc/a', 'hunter2')]],
    ['content of many lines', '/etc/a: |\n  x\n  y\n', [one('/etc/a', 'x\ny\n')]],
    ['content with a mode', '{/etc/a: {content: x, mode: 0400}}', [{ ...one('/etc/a', 'x'), mode: 256 }]],
    ["the step's own variable, byte by byte", '{/etc/a: {env: KEY_JSON}}', [one('/etc/a', own.KEY_JSON)]],
    ['a number as it is written', '{/etc/a: 1.10}', [one('/etc/a', '1.10')]],
    ['nothing', 'null', []],
  ])('%s', (_, text, files) => expect(read({ secret_files: text })).toEqual({ env: [], files, ...nothing }));

  test('with a warning where the content is empty', () => {
    expect(read({ secret_files: '{/etc/a: {env: EMPTY}}' }).warnings).toEqual([
      'secret_files[/etc/a] is empty. A secret that is not set, or not for this event, is empty text in a workflow.',
    ]);
  });
});

describe('a registry is read', () => {
  test.each([
    [
      { registry_username: 'octo', registry_password: ' hunter2\n' },
      { username: 'octo', password: 'hunter2' },
    ],
    [
      { registry_username: 'octo', registry_password: 'x', registry: 'ghcr.io' },
      { username: 'octo', password: 'x', server: 'ghcr.io' },
    ],
    [{}, undefined],
    [{ registry_username: 'null', registry_password: 'null' }, undefined],
  ])('%j', (given, registry) => expect(read(given).registry).toEqual(registry));
});

describe('what is refused', () => {
  const unset = 'A secret that is not set is empty text in a workflow.';

  test.each<[what: string, given: Record<string, string>, sentence: string]>([
    [
      'a list of variables',
      { secret_env: '[{name: A, value: x}]' },
      'secret_env: expected a mapping, e.g. {PASSWORD: ${{ secrets.PASSWORD }}}, or KEY=value lines; found a list.',
    ],
    [
      'a variable whose name no key of a Secret can have',
      { secret_env: '{"A B": x}' },
      'secret_env: this cannot be used: letters, digits, dashes, underscores and dots.',
    ],
    [
      'a variable twice',
      { secret_env: 'A=x\nA=y' },
      'secret_env: A is set twice (line 2). Kubernetes would take the last one; remove one of them.',
    ],
    [
      'a variable that the step does not have',
      { secret_env: 'NOT_SET' },
      "secret_env: the bare name passes on the step's own variable of that name, which is not set (line 1). Set it under env: of the step, or write NAME=value.",
    ],
    [
      'a list of files',
      { secret_files: '[/etc/a]' },
      'secret_files: expected a mapping of paths to contents, e.g. {/etc/app/key.json: {env: KEY_JSON}}; found a list.',
    ],
    [
      'a relative path',
      { secret_files: '{etc/a: x}' },
      'secret_files[etc/a]: expected the absolute path of a file in the container.',
    ],
    [
      'a folder',
      { secret_files: '{/etc/: x}' },
      'secret_files[/etc/]: expected the absolute path of a file in the container.',
    ],
    [
      'a path with ..',
      { secret_files: '{/a/../b: x}' },
      'secret_files[/a/../b]: expected the absolute path of a file in the container.',
    ],
    [
      'neither content nor env',
      { secret_files: '{/a: {mode: 0400}}' },
      'secret_files[/a]: expected either content, or env with the name of a variable of the step.',
    ],
    [
      'both content and env',
      { secret_files: '{/a: {content: x, env: A}}' },
      'secret_files[/a]: expected either content, or env with the name of a variable of the step.',
    ],
    [
      'a file whose variable the step does not have',
      { secret_files: '{/a: {env: NOT_SET}}' },
      'secret_files[/a].env: the step has no variable of that name. Set it under env: of the step.',
    ],
    [
      'a misspelt field',
      { secret_files: '{/a: {contents: x}}' },
      'secret_files[/a]: expected content or env, and perhaps mode; found another key. Quote JSON that is the content, or give it by env.',
    ],
    [
      'a mode as text',
      { secret_files: '{/a: {content: x, mode: "0400"}}' },
      'secret_files[/a].mode: expected a file mode, e.g. 0400, without quotes.',
    ],
    [
      'a user without a password',
      { registry_username: 'a' },
      `registry_password: registry_username is given, so this is needed too. ${unset}`,
    ],
    [
      'a password without a user',
      { registry_password: 'a' },
      `registry_username: registry_password is given, so this is needed too. ${unset}`,
    ],
    [
      'a registry alone',
      { registry: 'ghcr.io' },
      'registry: expected registry_username and registry_password with it; found neither.',
    ],
  ])('%s', (_, given, sentence) => expect(refusal(given).text.split('\n')[0]?.replace(/^- /, '')).toBe(sentence));

  test.each([
    { secret_env: 'A=1\nhunter2 x' },
    { secret_env: '{A: [hunter2]}' },
    { secret_env: '[hunter2]' },
    { secret_env: 'hunter2' },
    { secret_files: '{/a: [hunter2]}' },
    { secret_files: '{/a: {content: {b: hunter2}}}' },
    { secret_files: 'hunter2' },
    { registry_password: 'hunter2' },
  ])('%j without a word of its values', given => expect(refusal(given).text).not.toContain('hunter2'));
});
