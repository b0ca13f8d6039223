import { describe, expect, test } from '@jest/globals';
import type { V1EnvFromSource, V1EnvVar, V1KeyToPath, V1Volume, V1VolumeMount } from '@kubernetes/client-node';
import { baseOf, planned, podOf, refusal } from '../planned.ts';

const EXAMPLE = '{deploy_type: env, deploy_target: DB_PASSWORD, secret: db, key: password}';
const volume = (fields: string) => `[{deploy_type: volume, deploy_target: /etc/db, secret: db, ${fields}}]`;

/** What Secrets add to the container and the pod. */
interface Added {
  env?: V1EnvVar[];
  envFrom?: V1EnvFromSource[];
  volumes?: V1Volume[];
  volumeMounts?: V1VolumeMount[];
}

function added(text: string): Added {
  const { volumes } = podOf({ secrets: text }).spec ?? {};
  const { env, envFrom, volumeMounts } = baseOf({ secrets: text });
  return JSON.parse(JSON.stringify({ env, envFrom, volumes, volumeMounts }));
}

const variable = (name: string, secret: string, key: string): V1EnvVar => ({
  name,
  valueFrom: { secretKeyRef: { name: secret, key } },
});
const files = (items?: V1KeyToPath[]): Added => ({
  volumes: [
    {
      name: expect.stringMatching(/^secret-[a-z0-9]{8}$/) as never,
      secret: { secretName: 'db', ...(items && { items }) },
    },
  ],
  volumeMounts: [
    { name: expect.stringMatching(/^secret-[a-z0-9]{8}$/) as never, mountPath: '/etc/db', readOnly: true },
  ],
});

describe('a Secret is', () => {
  test.each<[what: string, text: string, expected: Added]>([
    ['a variable', `[${EXAMPLE}]`, { env: [variable('DB_PASSWORD', 'db', 'password')] }],
    ['all its keys as variables', '[{deploy_type: env, secret: db}]', { envFrom: [{ secretRef: { name: 'db' } }] }],
    [
      'all its keys as variables, with nulls for the rest, as KPO has them',
      '[{deploy_type: env, deploy_target: null, secret: db, key: null, items: null}]',
      { envFrom: [{ secretRef: { name: 'db' } }] },
    ],
    ['files', '[{deploy_type: volume, deploy_target: /etc/db, secret: db}]', files()],
    ['one file', volume('key: password'), files([{ key: 'password', path: 'password' }])],
    [
      'chosen files',
      volume('items: [{key: cert, path: tls.crt}, {key: key, path: tls.key, mode: 0400}]'),
      files([
        { key: 'cert', path: 'tls.crt' },
        { key: 'key', path: 'tls.key', mode: 256 },
      ]),
    ],
    ['a name that is a number', '[{deploy_type: env, secret: 1.10}]', { envFrom: [{ secretRef: { name: '1.10' } }] }],
    ['a key that is a number', volume('items: [{key: 1.10, path: 007}]'), files([{ key: '1.10', path: '007' }])],
    ['none, by an empty list', '[]', {}],
    ['none, explicitly', 'null', {}],
    [
      'many, in their order',
      '- {deploy_type: env, secret: b}\n- {deploy_type: env, secret: a}',
      { envFrom: [{ secretRef: { name: 'b' } }, { secretRef: { name: 'a' } }] },
    ],
    [
      'many variables, in their order',
      '- {deploy_type: env, deploy_target: B, secret: b, key: k}\n- {deploy_type: env, deploy_target: A, secret: a, key: k}',
      { env: [variable('B', 'b', 'k'), variable('A', 'a', 'k')] },
    ],
  ])('%s', (_, text, expected) => expect(added(text)).toEqual(expected));

  test('mounted from its own volume', () => {
    const one = '{deploy_type: volume, deploy_target: /etc/tls, secret: tls}';
    const other = '{deploy_type: volume, deploy_target: /etc/other, secret: other}';
    const { volumes, volumeMounts } = added(`[${one}, ${other}]`);
    const secretAt = ({ name }: V1VolumeMount) => volumes?.find(volume => volume.name === name)?.secret?.secretName;
    expect(volumeMounts?.map(secretAt)).toEqual(['tls', 'other']);
  });

  test.each([
    ['at two paths', '{deploy_type: volume, deploy_target: /etc/other, secret: db}'],
    ['with other files of it', '{deploy_type: volume, deploy_target: /etc/more, secret: db, key: crt}'],
  ])('two volumes %s', (_, other) => {
    const { volumes } = added(`[{deploy_type: volume, deploy_target: /etc/db, secret: db}, ${other}]`);
    expect(new Set(volumes?.map(({ name }) => name)).size).toBe(2);
  });

  test('of the same volume name each time', () => {
    expect(added(volume('key: a'))).toEqual(added(volume('key: a')));
  });

  test('there beside volumes that are explicitly none', () => {
    const given = {
      volumes: '[]',
      volume_mounts: '[]',
      secrets: '[{deploy_type: volume, deploy_target: /etc/db, secret: db}]',
    };
    expect(podOf(given).spec?.volumes).toEqual(files().volumes);
  });

  test('a variable of the name that is written, which Airflow would have put in capitals', () => {
    const text = '[{deploy_type: env, deploy_target: db_password, secret: db, key: password}]';
    expect(added(text)).toEqual({ env: [variable('db_password', 'db', 'password')] });
    expect(planned({ secrets: text }).notices).toEqual([
      'secrets[0].deploy_target: the variable is called db_password, as it is written. Airflow would have called it DB_PASSWORD.',
    ]);
  });
});

describe('what is refused', () => {
  test.each([
    ['a mapping', '{secret: db}', `secrets: expected a list, e.g. [${EXAMPLE}]; found a mapping.`],
    ['text', 'db', `secrets: expected a list, e.g. [${EXAMPLE}]; found text.`],
    ['a list of names', '[db]', `secrets[0]: expected a mapping, e.g. ${EXAMPLE}; found text.`],
    [
      "Airflow's arguments by position",
      '[[env, SQL_CONN, airflow-secrets, sql_alchemy_conn]]',
      'secrets[0]: expected a mapping, e.g. {deploy_type: env, deploy_target: SQL_CONN, secret: airflow-secrets, key: sql_alchemy_conn}; found a list.',
    ],
    [
      "Airflow's arguments by position, without a target",
      '[[env, null, airflow-secrets]]',
      'secrets[0]: expected a mapping, e.g. {deploy_type: env, secret: airflow-secrets}; found a list.',
    ],
    [
      'a variable with = in its name',
      '[{deploy_type: env, deploy_target: "A=B", secret: db, key: a}]',
      'secrets[0].deploy_target: "A=B" cannot be the name of a variable: it must not hold a =.',
    ],
    [
      'two at one path',
      '[{deploy_type: volume, deploy_target: /x, secret: a}, {deploy_type: volume, deploy_target: /x, secret: b}]',
      'secrets[1]: /x is set by secrets[0] too. One of the two would be lost; remove or rename it.',
    ],
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
