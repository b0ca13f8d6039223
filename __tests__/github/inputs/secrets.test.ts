import { describe, expect, test } from '@jest/globals';
import type { SecretUse } from '../../../src/github/inputs/secrets.ts';
import { read, refusal } from './given.ts';

const EXAMPLE = '{deploy_type: env, deploy_target: DB_PASSWORD, secret: db, key: password}';
const volume = (fields: string) => `[{deploy_type: volume, deploy_target: /etc/db, secret: db, ${fields}}]`;
const files = { kind: 'files', secret: 'db', mountPath: '/etc/db' } as const;

describe('a Secret is', () => {
  test.each<[what: string, text: string, expected: SecretUse[]]>([
    ['a variable', `[${EXAMPLE}]`, [{ kind: 'variable', secret: 'db', key: 'password', name: 'DB_PASSWORD' }]],
    ['all its keys as variables', '[{deploy_type: env, secret: db}]', [{ kind: 'all variables', secret: 'db' }]],
    [
      'all its keys as variables, with nulls for the rest, as KPO has them',
      '[{deploy_type: env, deploy_target: null, secret: db, key: null, items: null}]',
      [{ kind: 'all variables', secret: 'db' }],
    ],
    ['files', '[{deploy_type: volume, deploy_target: /etc/db, secret: db}]', [files]],
    ['one file', volume('key: password'), [{ ...files, items: [{ key: 'password', path: 'password' }] }]],
    [
      'chosen files',
      volume('items: [{key: cert, path: tls.crt}, {key: key, path: tls.key, mode: 0400}]'),
      [
        {
          ...files,
          items: [
            { key: 'cert', path: 'tls.crt' },
            { key: 'key', path: 'tls.key', mode: 256 },
          ],
        },
      ],
    ],
    ['a name that is a number', '[{deploy_type: env, secret: 1.10}]', [{ kind: 'all variables', secret: '1.10' }]],
    [
      'a key that is a number',
      volume('items: [{key: 1.10, path: 007}]'),
      [{ ...files, items: [{ key: '1.10', path: '007' }] }],
    ],
    ['none, by an empty list', '[]', []],
    ['none, explicitly', 'null', []],
    [
      'many, in their order',
      '- {deploy_type: env, secret: a}\n- {deploy_type: env, secret: b}',
      [
        { kind: 'all variables', secret: 'a' },
        { kind: 'all variables', secret: 'b' },
      ],
    ],
  ])('%s', (_, text, expected) => expect(read({ secrets: text }).secrets).toEqual(expected));
});

describe('what is refused', () => {
  test.each([
    ['a mapping', '{secret: db}', `secrets: expected a list, e.g. [${EXAMPLE}]; found a mapping.`],
    ['text', 'db', `secrets: expected a list, e.g. [${EXAMPLE}]; found text.`],
    ['a list of names', '[db]', `secrets[0]: expected a mapping, e.g. ${EXAMPLE}; found text.`],
    [
      'no Secret',
      '[{deploy_type: env}]',
      `secrets[0].secret: expected the name of a Kubernetes Secret, e.g. ${EXAMPLE}.`,
    ],
    ['no type', '[{secret: db}]', 'secrets[0].deploy_type: expected env or volume, found nothing.'],
    [
      'another type',
      '[{deploy_type: env, secret: a}, {deploy_type: file, secret: db}]',
      'secrets[1].deploy_type: expected env or volume, found "file".',
    ],
    [
      'a target without a key',
      '[{deploy_type: env, deploy_target: A, secret: db}]',
      'secrets[0]: has a deploy_target, so it also needs the key whose value goes there. (Without both, all keys become variables.)',
    ],
    [
      'a key without a target',
      '[{deploy_type: env, key: a, secret: db}]',
      'secrets[0]: has a key, so it also needs a deploy_target, the name of the variable. (Without both, all keys become variables.)',
    ],
    [
      'files without a path',
      '[{deploy_type: volume, secret: db}]',
      'secrets[0].deploy_target: expected the absolute path to mount the Secret at, found nothing.',
    ],
    [
      'files at a relative path',
      '[{deploy_type: volume, deploy_target: etc/db, secret: db}]',
      'secrets[0].deploy_target: expected the absolute path to mount the Secret at, found "etc/db".',
    ],
    [
      'items for variables',
      '[{deploy_type: env, secret: db, items: []}]',
      'secrets[0]: items belong to deploy_type: volume.',
    ],
    [
      'items that are a mapping',
      volume('items: {cert: tls.crt}'),
      'secrets[0].items: expected a list, e.g. [{key: cert, path: tls.crt}]; found a mapping.',
    ],
    [
      'an item that is text',
      volume('items: [cert]'),
      'secrets[0].items[0]: expected a mapping with key and path, e.g. {key: cert, path: tls.crt}; found text.',
    ],
    [
      'a misspelt field of an item',
      volume('items: [{key: cert, path: tls.crt, mod: 0400}]'),
      'secrets[0].items[0]: "mod" is not a field here; expected key, path or mode. Did you mean mode?',
    ],
  ])('%s', (_, text, expected) => expect(refusal({ secrets: text }).text).toBe(expected));

  test('a misspelt field, and what it leaves unsaid', () => {
    expect(refusal({ secrets: '[{deploytype: env, secret: db}]' }).text.split('\n')).toEqual([
      '- secrets[0]: "deploytype" is not a field here; expected deploy_type, deploy_target, secret, key or items. Did you mean deploy_type?',
      '- secrets[0].deploy_type: expected env or volume, found nothing.',
    ]);
  });

  test.each([
    ['text', '"0400"'],
    ['a fraction', '1.5'],
    ['more than a mode holds', '01000'],
    ['below zero', '-1'],
    ['a word', 'rw'],
    ['a list', '[4]'],
  ])('a mode that is %s', (_, mode) =>
    expect(refusal({ secrets: volume(`items: [{key: a, path: b, mode: ${mode}}]`) }).text).toMatch(
      /^secrets\[0\]\.items\[0\]\.mode: expected a file mode/,
    ),
  );

  test.each([
    ['a mapping for a key', '{key: {a: b}, path: b}', '.key'],
    ['a list for a path', '{key: a, path: [b]}', '.path'],
    ['nothing for a key', '{key: null, path: b}', ''],
    ['nothing for a path', '{key: a, path: }', ''],
  ])('an item with %s', (_, item, place) =>
    expect(refusal({ secrets: volume(`items: [${item}]`) }).text).toMatch(`secrets[0].items[0]${place}`),
  );

  test('an item without a path, by what it lacks', () => {
    expect(refusal({ secrets: volume('items: [{key: a}]') }).text).not.toMatch(/expected a mapping .* found a mapping/);
  });

  test('a key beside items, of which one would be dropped', () => {
    expect(refusal({ secrets: volume('key: a, items: [{key: b, path: c}]') }).text).toMatch(/^secrets\[0\]/);
  });

  test('a list for the name of the Secret, told once', () => {
    expect(refusal({ secrets: '[{deploy_type: env, secret: [a]}]' }).text).toBe(
      'secrets[0].secret: expected text, found a list.',
    );
  });
});
