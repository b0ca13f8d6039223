import { describe, expect, test } from '@jest/globals';
import type { SecretUse } from '../../src/github/inputs/secrets.ts';
import { secretParts } from '../../src/pod/secrets.ts';

const none = { env: [], envFrom: [], volumes: [], volumeMounts: [] };
const files: SecretUse = { kind: 'files', secret: 'tls', mountPath: '/etc/tls' };

describe('a Secret', () => {
  test.each<[what: string, uses: SecretUse[], expected: object]>([
    ['none', [], none],
    [
      'a variable',
      [{ kind: 'variable', secret: 'db', key: 'password', name: 'DB_PASSWORD' }],
      { ...none, env: [{ name: 'DB_PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } }] },
    ],
    ['all variables', [{ kind: 'all variables', secret: 'db' }], { ...none, envFrom: [{ secretRef: { name: 'db' } }] }],
    [
      'files',
      [files],
      {
        ...none,
        volumes: [{ name: expect.stringMatching(/^secret-[a-z0-9]{8}$/), secret: { secretName: 'tls' } }],
        volumeMounts: [{ name: expect.any(String), mountPath: '/etc/tls', readOnly: true }],
      },
    ],
    [
      'chosen files',
      [{ ...files, items: [{ key: 'crt', path: 'tls.crt', mode: 256 }] }],
      {
        ...none,
        volumes: [
          {
            name: expect.any(String),
            secret: { secretName: 'tls', items: [{ key: 'crt', path: 'tls.crt', mode: 256 }] },
          },
        ],
        volumeMounts: [expect.objectContaining({ mountPath: '/etc/tls' })],
      },
    ],
    [
      'many, in their order',
      [
        { kind: 'variable', secret: 'b', key: 'k', name: 'B' },
        { kind: 'variable', secret: 'a', key: 'k', name: 'A' },
      ],
      { ...none, env: [expect.objectContaining({ name: 'B' }), expect.objectContaining({ name: 'A' })] },
    ],
  ])('as %s', (_, uses, expected) => expect(secretParts(uses)).toEqual(expected));

  test('is mounted from its own volume', () => {
    const { volumes, volumeMounts } = secretParts([files, { ...files, secret: 'other', mountPath: '/etc/other' }]);
    expect(volumeMounts.map(({ name }) => volumes.find(volume => volume.name === name)?.secret?.secretName)).toEqual([
      'tls',
      'other',
    ]);
  });

  test.each<[string, SecretUse]>([
    ['at two paths', { ...files, mountPath: '/etc/other' }],
    ['with other files of it', { ...files, items: [{ key: 'crt', path: 'tls.crt' }] }],
  ])('%s is two volumes', (_, other) => {
    const { volumes } = secretParts([files, other]);
    expect(new Set(volumes.map(({ name }) => name)).size).toBe(2);
  });

  test('has the same volume name each time', () => {
    expect(secretParts([files])).toEqual(secretParts([structuredClone(files)]));
  });
});
