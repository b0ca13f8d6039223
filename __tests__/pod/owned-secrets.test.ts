import { describe, expect, test } from '@jest/globals';
import { planOwnedSecrets, registryOf } from '../../src/pod/owned-secrets.ts';
import { planned, planOf, RESULT_ENV } from './planned.ts';

const none = { env: [], files: [] };
const variable = (name: string, value: string) => ({ name, value, from: `secret_env.${name}` });
const file = (path: string, content: string, mode?: number) => ({
  path,
  content,
  from: `secret_files[${path}]`,
  ...(mode !== undefined && { mode }),
});

describe('a Secret of the pod', () => {
  test('is not made of nothing', () => {
    expect(planOwnedSecrets(none, 'busybox', 'train', 'n')).toEqual({ secrets: [], fragments: [] });
  });

  test('holds the variables, which the container refers to by their names', () => {
    const env = [variable('API_TOKEN', 'hunter2'), variable('b.c-d', 'x\ny')];
    const { secrets, fragments } = planOwnedSecrets({ ...none, env }, 'busybox', 'train', 'n');
    const [{ name = '' } = {}] = secrets;
    expect(secrets).toEqual([
      {
        name: expect.stringMatching(/^train-env-[a-z0-9]{8}$/),
        type: 'Opaque',
        data: { API_TOKEN: 'hunter2', 'b.c-d': 'x\ny' },
      },
    ]);
    expect(fragments).toEqual(
      ['API_TOKEN', 'b.c-d'].map(key => ({
        from: `secret_env.${key}`,
        of: 'container',
        fields: { env: [{ name: key, valueFrom: { secretKeyRef: { name, key } } }] },
      })),
    );
  });

  test('holds the files, each mounted by itself, so that what the image has beside them stays to be seen', () => {
    const files = [file('/etc/app/key.json', '{}', 0o400), file('/etc/app/other', 'x')];
    const { secrets, fragments } = planOwnedSecrets({ ...none, files }, 'busybox', 'train', 'n');
    const name = expect.stringMatching(/^train-files-[a-z0-9]{8}$/);
    const volume = expect.stringMatching(/^secret-files-[a-z0-9]{8}$/);
    expect(secrets).toEqual([{ name, type: 'Opaque', data: { 'file-0': '{}', 'file-1': 'x' } }]);
    const items = [
      { key: 'file-0', path: 'file-0', mode: 0o400 },
      { key: 'file-1', path: 'file-1' },
    ];
    const mount = (mountPath: string, subPath: string) => ({ name: volume, mountPath, subPath, readOnly: true });
    expect(fragments).toEqual([
      {
        from: 'secret_files',
        of: 'spec',
        fields: { volumes: [{ name: volume, secret: { secretName: name, defaultMode: 0o444, items } }] },
      },
      {
        from: 'secret_files[/etc/app/key.json]',
        of: 'container',
        fields: { volumeMounts: [mount('/etc/app/key.json', 'file-0')] },
      },
      {
        from: 'secret_files[/etc/app/other]',
        of: 'container',
        fields: { volumeMounts: [mount('/etc/app/other', 'file-1')] },
      },
    ]);
  });

  test.each([
    [undefined, 'busybox', 'https://index.docker.io/v1/'],
    [undefined, 'ghcr.io/octo/cat:1', 'ghcr.io'],
    ['ecr.example.com', 'busybox', 'ecr.example.com'],
  ])('holds what a pull needs: registry %s, image %s', (server, image, expected) => {
    const registry = { username: 'octo', password: 'p:ä"', ...(server !== undefined && { server }) };
    const { secrets, fragments } = planOwnedSecrets({ ...none, registry }, image, 'train', 'n');
    const [secret] = secrets;
    expect(secret?.type).toBe('kubernetes.io/dockerconfigjson');
    expect(JSON.parse(secret?.data['.dockerconfigjson'] ?? '')).toEqual({
      auths: {
        [expected]: { username: 'octo', password: 'p:ä"', auth: Buffer.from('octo:p:ä"').toString('base64') },
      },
    });
    expect(fragments).toEqual([
      { from: 'registry_username', of: 'spec', fields: { imagePullSecrets: [{ name: secret?.name }] } },
    ]);
  });

  test.each(['train', 'a'.repeat(63), 'a'.repeat(45)])(
    'has a name that Kubernetes takes, of its own for each attempt: %s',
    podName => {
      const names = ['n', 'm'].flatMap(nonce => {
        const inputs = {
          env: [variable('A', 'x')],
          files: [file('/a', 'x')],
          registry: { username: 'a', password: 'b' },
        };
        return planOwnedSecrets(inputs, 'busybox', podName, nonce).secrets.map(({ name }) => name);
      });
      expect(new Set(names).size).toBe(6);
      expect(names.filter(name => !/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name) || name.length > 253)).toEqual([]);
    },
  );
});

describe('no secret is in the pod', () => {
  const given = {
    secret_env: 'API_TOKEN=hunter2',
    secret_files: '{/etc/key: hunter2}',
    registry_username: 'octo',
    registry_password: 'hunter2',
  };

  test('but in the Secrets beside it', () => {
    const { pod, secrets } = planOf(given);
    expect(JSON.stringify(pod)).not.toMatch(/hunter2|aHVudGVyMg/);
    expect(secrets.map(({ type }) => type)).toEqual(['Opaque', 'Opaque', 'kubernetes.io/dockerconfigjson']);
  });

  test('nor is anything of a template lost to them', () => {
    const template = [
      'spec:',
      '  imagePullSecrets: [{name: theirs}]',
      '  volumes: [{name: secret-files, emptyDir: {}}]',
      '  containers: [{name: base, env: [{name: API_TOKEN, value: open}], volumeMounts: [{name: secret-files, mountPath: /etc/mine}]}]',
    ].join('\n');
    const { spec } = planOf(given, { template }).pod;
    expect(spec?.imagePullSecrets).toEqual([{ name: 'theirs' }, { name: expect.stringContaining('-registry-') }]);
    expect(spec?.volumes?.map(({ name }) => name)).toEqual(['secret-files', expect.stringMatching(/^secret-files-/)]);
    expect(spec?.containers[0]?.volumeMounts?.map(({ mountPath }) => mountPath)).toEqual(['/etc/mine', '/etc/key']);
    expect(spec?.containers[0]?.env).toEqual([
      {
        name: 'API_TOKEN',
        valueFrom: { secretKeyRef: { name: expect.stringContaining('-env-'), key: 'API_TOKEN' } },
      },
      RESULT_ENV,
    ]);
  });

  test('and the pull Secret belongs to the registry of the image that a template names', () => {
    const { plan } = planned(
      { image: '', registry_username: 'octo', registry_password: 'x' },
      { template: 'spec: {containers: [{name: main, image: ghcr.io/octo/cat}]}' },
    );
    expect(Object.keys(JSON.parse(plan.secrets[0]?.data['.dockerconfigjson'] ?? '').auths)).toEqual(['ghcr.io']);
  });
});

test.each([
  ['busybox', 'https://index.docker.io/v1/'],
  ['busybox:1.37', 'https://index.docker.io/v1/'],
  ['busybox@sha256:0123', 'https://index.docker.io/v1/'],
  ['user/x', 'https://index.docker.io/v1/'],
  ['user/x:tag', 'https://index.docker.io/v1/'],
  ['docker.io/library/x', 'docker.io'],
  ['localhost/x', 'localhost'],
  ['localhost:5000/x', 'localhost:5000'],
  ['registry:5000/x:tag', 'registry:5000'],
  ['host.tld/x@sha256:0123', 'host.tld'],
  ['host.tld/a/b/c:1.10', 'host.tld'],
  ['1234.dkr.ecr.eu-west-1.amazonaws.com/x', '1234.dkr.ecr.eu-west-1.amazonaws.com'],
  ['', 'https://index.docker.io/v1/'],
  [undefined, 'https://index.docker.io/v1/'],
])('the registry of %s is %s', (image, registry) => expect(registryOf(image)).toBe(registry));
