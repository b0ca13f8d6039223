import { expect, test } from '@jest/globals';
import { looksSecret } from '../../src/pod/secret-shapes.ts';

const GITHUB = `ghp_${'a'.repeat(36)}`;
const JWT = `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.${'x'.repeat(20)}`;

test.each([
  ...['TOKEN', 'API_TOKEN', 'api-token', 'slack.token', 'NODE_AUTH_TOKEN', 'authToken', 'accessToken', 'GITHUB_PAT'],
  ...[
    'PASSWORD',
    'DB_PASSWORD',
    'dbPassword',
    'PGPASSWORD',
    'MYSQL_PASSWD',
    'PASSWORD_2',
    'SSH_PASSPHRASE',
    'MYSQL_PWD',
  ],
  ...['SECRET', 'CLIENT_SECRET', 'AWS_SECRET_ACCESS_KEY', 'SECRET_KEY', 'API_KEY', 'apiKey', 'APIKEY', 'PRIVATE_KEY'],
  ...['STORAGE_ACCESS_KEY', 'CREDENTIALS', 'GCP_CREDENTIAL'],
])('a name such as %s says secret', name => expect(looksSecret(name, 'hunter2')).toBe(true));

test.each([
  ...[GITHUB, `github_pat_${'a'.repeat(40)}`, 'AKIAIOSFODNN7EXAMPLE', 'xoxb-1234567890-abc', `AIza${'x'.repeat(35)}`],
  ...[
    `glpat-${'x'.repeat(20)}`,
    `npm_${'x'.repeat(36)}`,
    JWT,
    '-----BEGIN RSA PRIVATE KEY-----\nMII',
    '-----BEGIN PRIVATE KEY-----',
  ],
  ...['postgres://user:hunter2@db/x', 'redis://:hunter2@cache:6379', 'https://octo:hunter2@github.com/x.git'],
  ...[`https://example.com/?access=${GITHUB}`, `/tmp/${GITHUB}`, 'Authorization: Bearer abcdefgh1234'],
])('a value such as %s is one, whatever its name', value => {
  expect(looksSecret('MODE', value)).toBe(true);
  expect(looksSecret('', value)).toBe(true);
});

test.each([
  ...[
    'MODE',
    'TOKENS',
    'MAX_TOKENS',
    'token_count',
    'TOKENIZER',
    'SECRET_NAME',
    'KEY',
    'PRIMARY_KEY',
    'SORT_KEY',
    'MONKEY',
  ],
  ...[
    'PASSWORD_FILE',
    'DB_PASSWORD_FILE',
    'GF_ADMIN_PASSWORD__FILE',
    'PASSWORD_POLICY',
    'PASSWORD_MIN_LENGTH',
    'RESET_PASSWORD_URL',
  ],
  ...['SECRET_DIR', 'TOKEN_URL', 'SECRETARY', 'AUTHOR', 'PATH', 'COMPAT', 'PWD_NAME', 'FORMAT'],
])('a name such as %s says none', name => expect(looksSecret(name, 'value')).toBe(false));

test.each([
  ...[
    '',
    '5',
    '123456',
    'true',
    'False',
    'no',
    'none',
    'null',
    'off',
    '/var/run/secrets/token',
    '/run/secrets',
    './token.txt',
  ],
  ...[
    '../keys/a.pem',
    '~/.netrc',
    'https://vault.example.com/v1/secret',
    's3://bucket/credentials.json',
    'gs://a/b',
    'file:///x',
  ],
  ...['$(DB_PASSWORD)', '${TOKEN}', '$TOKEN'],
])('a value such as %j is none, though its name says so', value => expect(looksSecret('API_TOKEN', value)).toBe(false));

test.each([
  ...['postgres://db/x', 'postgres://user@db/x', 'https://example.com:8443/a@b', 'postgres://user:$(DB_PASSWORD)@db/x'],
  ...[
    'postgres://user:${PW}@db/x',
    'https://octo:***@github.com',
    'http://h: 8080',
    'user@example.com',
    'git@github.com:a/b.git',
  ],
  ...[
    'sha256:0123456789abcdef0123456789abcdef',
    '0b7c4a51-6c0f-4e3b-9c55-2d5e1f1b8a11',
    'ghp_short',
    'eyJhbGci',
    'AKIA',
    'xoxo-xoxo',
  ],
  ...['-----BEGIN CERTIFICATE-----', 'print("token")', 'Authorization: none', 'token', 'my password is long'],
])('a value such as %j is none', value => expect(looksSecret('MODE', value)).toBe(false));

test('it takes no time, whatever the value', () => {
  const start = performance.now();
  for (const value of [
    '://a:'.repeat(20_000),
    'a'.repeat(100_000),
    '/'.repeat(100_000),
    `${'a://'.repeat(20_000)}@`,
    '-'.repeat(100_000),
  ])
    for (const name of ['MODE', 'password'.repeat(1000), `password_${'_'.repeat(5000)}`]) looksSecret(name, value);
  expect(performance.now() - start).toBeLessThan(2000);
});
