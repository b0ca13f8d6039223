import { describe, expect, test } from '@jest/globals';
import {
  ACCESS,
  allows,
  everyRule,
  everySweepRule,
  grant,
  rulesFor,
  sweepRulesFor,
} from '../../src/kubernetes/access.ts';

const rule = (resource: string, ...verbs: string[]) => ({ apiGroups: [''], resources: [resource], verbs });
const pods = rule('pods', 'create', 'get', 'watch', 'delete', 'list', 'patch');
const log = rule('pods/log', 'get');
const events = rule('events', 'list', 'watch');
const secrets = rule('secrets', 'create');
const passing = rule('secrets', 'create', 'delete');
const exec = rule('pods/exec', 'get', 'create');

describe('the rules for', () => {
  const step = { dryRun: false, logs: true, ownSecrets: false };
  test.each([
    ['a step', step, [pods, log, events]],
    ['a step with secrets of its own', { ...step, ownSecrets: true }, [pods, log, events, secrets]],
    ['a checkout', { ...step, ownSecrets: true, passingSecret: true }, [pods, log, events, passing]],
    ['files in or out', { ...step, files: true }, [pods, log, events, exec]],
    ['a step whose log is nobody’s concern', { ...step, logs: false }, [pods, events]],
    ['a dry run', { ...step, dryRun: true, ownSecrets: true }, [rule('pods', 'create')]],
  ])('%s are those and no others', (_, use, expected) => {
    expect(rulesFor(use)).toEqual(expected);
  });

  test('all that a step can ask for are the table', () => {
    expect(everyRule().map(({ rule }) => rule)).toEqual([pods, log, events, passing, exec]);
    expect(everyRule().map(({ purpose }) => purpose)).toEqual(Object.values(ACCESS).map(({ purpose }) => purpose));
  });
});

describe('the rules for a sweep', () => {
  test('are to list and to delete pods; a dry run only lists', () => {
    expect(sweepRulesFor({ dryRun: false })).toEqual([rule('pods', 'list', 'delete')]);
    expect(sweepRulesFor({ dryRun: true })).toEqual([rule('pods', 'list')]);
  });

  test('are its own: Secrets are among them for those who want that, and nothing is added to a step’s', () => {
    expect(everySweepRule().map(({ rule, optional }) => [rule, optional])).toEqual([
      [rule('pods', 'list', 'delete'), false],
      [rule('secrets', 'list', 'delete'), true],
    ]);
    expect(everyRule().map(({ rule }) => rule)).toContainEqual(passing);
  });
});

test.each([
  ['create', 'pods', true],
  ['get', 'pods/log', true],
  ['watch', 'events', true],
  ['list', 'pods', true],
  ['update', 'pods', false],
  ['get', 'pods/exec', false],
  ['create', 'secrets', false],
  ['impersonate', 'users', false],
])('whether they allow %s on %s: %j', (verb, resource, expected) => {
  expect(allows(rulesFor({ dryRun: false, logs: true, ownSecrets: false }), verb, resource)).toBe(expected);
});

describe('a grant', () => {
  const user = (name: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name });
  test.each([
    ['system:serviceaccount:ci:runner', { kind: 'ServiceAccount', name: 'runner', namespace: 'ci' }],
    ['system:serviceaccount:ci:runner.v1', { kind: 'ServiceAccount', name: 'runner.v1', namespace: 'ci' }],
    ['runner', user('runner')],
    ['system:serviceaccount:ci', user('system:serviceaccount:ci')],
    ['system:serviceaccount:ci:', user('system:serviceaccount:ci:')],
    ['system:serviceaccount:ci:a:b', user('system:serviceaccount:ci:a:b')],
    ['system:serviceaccount:ci:Runner', user('system:serviceaccount:ci:Runner')],
    ['system:serviceaccount:ci:runner\n', user('system:serviceaccount:ci:runner\n')],
    ['oidc:system:serviceaccount:ci:runner', user('oidc:system:serviceaccount:ci:runner')],
    ['', user('')],
  ])('is for %j as this subject', (name, subject) => {
    const [, binding] = grant(name, 'etl', [pods]);
    expect(binding.subjects).toEqual([subject]);
  });

  test('is a Role with the rules and a RoleBinding to it, in one namespace', () => {
    const [role, binding] = grant('runner', 'etl', [pods, log]);
    expect(role).toEqual({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: expect.stringMatching(/^kubernetes-pod-step-[0-9a-f]{8}$/), namespace: 'etl' },
      rules: [pods, log],
    });
    expect(binding).toMatchObject({
      kind: 'RoleBinding',
      metadata: role.metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: role.metadata?.name },
    });
  });

  test('has a name of its own for each user and each list of rules, and the same for the same', () => {
    const name = (...of: Parameters<typeof grant>) => grant(...of)[0].metadata?.name;
    const names = [name('a', 'etl', [pods]), name('b', 'etl', [pods]), name('a', 'etl', [pods, secrets])];
    expect(new Set(names).size).toBe(3);
    expect(name('a', 'etl', [pods])).toBe(names[0]);
  });
});
