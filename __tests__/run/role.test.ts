import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { loadAll } from 'js-yaml';
import { JobLog } from '../../src/github/commands.ts';
import { StepError } from '../../src/github/failure.ts';
import { jobLogText } from '../../src/github/terminal.ts';
import { grant, rulesFor } from '../../src/kubernetes/access.ts';
import { ApiError } from '../../src/kubernetes/status.ts';
import { offerRole, printGrant, useOf } from '../../src/run/role.ts';
import { HOSTILE_TEXTS } from '../support/hostile-texts.ts';
import { type Reply, replies } from '../support/kubernetes-replies.ts';

const use = { dryRun: false, logs: true, ownSecrets: true };

describe('what a step uses', () => {
  const logs = {
    shown: true,
    initContainers: [],
    prefixed: true,
    eventsOnFailure: true,
    podOnFailure: true,
    workspace: '/',
    annotations: false,
  };
  const secret = { name: 'x', type: 'Opaque' as const, data: {} };
  test.each([
    ['a step', { dryRun: false, logs }, [], { dryRun: false, logs: true, ownSecrets: false }],
    ['with secrets', { dryRun: false, logs }, [secret], { dryRun: false, logs: true, ownSecrets: true }],
    ['a dry run', { dryRun: true, logs }, [], { dryRun: true, logs: true, ownSecrets: false }],
    ['whose log is shown after a failure', { dryRun: false, logs: { ...logs, shown: false } }, [], { logs: true }],
    [
      'whose log is never read',
      { dryRun: false, logs: { ...logs, shown: false, eventsOnFailure: false } },
      [],
      { logs: false },
    ],
    [
      'whose log goes to a file alone',
      { dryRun: false, logs: { ...logs, shown: false, eventsOnFailure: false, file: 'a.log' } },
      [],
      { logs: true },
    ],
  ])('%s', (_, inputs, secrets, expected) => {
    expect(useOf(inputs, { secrets })).toMatchObject(expected);
  });
});

describe('the Role as it is printed', () => {
  const read = (user: string) => loadAll(jobLogText(printGrant({ user, namespace: 'etl' }, rulesFor(use))));

  test('is short, and reads well', () => {
    expect(printGrant({ user: 'system:serviceaccount:ci:runner', namespace: 'etl' }, rulesFor(use))).toBe(`\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: kubernetes-pod-step-8f729589
  namespace: etl
rules:
  - apiGroups: ['']
    resources: [pods]
    verbs: [create, get, watch, delete, list, patch]
  - apiGroups: ['']
    resources: [pods/log]
    verbs: [get]
  - apiGroups: ['']
    resources: [events]
    verbs: [list, watch]
  - apiGroups: ['']
    resources: [secrets]
    verbs: [create]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: kubernetes-pod-step-8f729589
  namespace: etl
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: kubernetes-pod-step-8f729589
subjects:
  - kind: ServiceAccount
    name: runner
    namespace: ci`);
  });

  const expected = (user: string) => grant(user, 'etl', rulesFor(use));
  test.each([
    ...HOSTILE_TEXTS,
    'x"\n---\napiVersion: v1\nkind: Secret\n',
    'x\n    namespace: kube-system\nroleRef: {name: cluster-admin}',
    '\u001b[2Jx\r\u0000\u0085\u2028',
    'a\n\n  b  \n\tc\n\n',
    'ends in a blank that is none of YAML’s\u00a0',
    'x'.repeat(3000),
  ])('is for %j and nobody else, whatever a terminal or a reader of YAML makes of that', user => {
    expect(read(user)).toEqual(expected(user));
  });

  test('is for any name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), user => {
        expect(read(user)).toEqual(expected(user));
      }),
    );
  });

  test('has no line that is white at its end', () => {
    expect(printGrant({ user: 'a \n b\t\n', namespace: 'etl' }, rulesFor(use))).not.toMatch(/[ \t]$/m);
  });
});

describe('where a request is refused', () => {
  let written = '';
  beforeEach(() => {
    written = '';
    jest.spyOn(process.stdout, 'write').mockImplementation(text => {
      written += text;
      return true;
    });
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  const asked = { verb: 'create', resource: 'pods', namespace: 'etl' } as const;
  const error = ({ code, body }: Reply) => new ApiError(code, body as object, asked);

  test.each([
    ['create', 'pods'],
    ['get', 'pods'],
    ['delete', 'pods'],
    ['create', 'secrets'],
  ])('for %s on %s the Role is printed, and the error points to it', (verb, resource) => {
    const denied = error(replies.forbidden(verb, resource, 'etl'));
    expect(offerRole(denied, use, new JobLog())).toMatchObject({
      name: 'StepError',
      reason: 'Forbidden',
      message: `system:serviceaccount:ci:runner may not ${verb} ${resource} in namespace etl.`,
      remedy:
        'Have the Role that the log shows applied, or use credentials that may. A namespace that does not exist is refused in the same way.',
    });
    expect(written).toContain('kubectl apply -f role.yaml\napiVersion: ');
    expect(written).toContain(printGrant({ user: 'system:serviceaccount:ci:runner', namespace: 'etl' }, rulesFor(use)));
  });

  test('an error that was made of that says what it said', () => {
    const cause = error(replies.forbidden('create', 'secrets', 'etl'));
    const made = new StepError('Forbidden', 'Permission missing', 'secret_env needs it.', { cause });
    expect(offerRole(made, use, new JobLog())).toMatchObject({ message: 'secret_env needs it.', cause: made });
    expect(written).toContain('kind: RoleBinding');
  });

  test.each<[string, unknown]>([
    ['a quota', error(replies.quota('p'))],
    ['Pod Security', error(replies.podSecurity('p'))],
    ['a service account that is not there', error(replies.serviceAccountNotFound('p', 'x'))],
    ['a webhook', error({ code: 403, body: { message: 'admission webhook "w" denied the request: no' } })],
    ['impersonation', error(replies.forbidden('impersonate', 'users', 'etl'))],
    ['what no Role of ours is about', error(replies.forbidden('list', 'nodes', 'etl'))],
    [
      'the whole cluster',
      error({
        code: 403,
        body: {
          message: 'pods is forbidden: User "u" cannot create resource "pods" in API group "" at the cluster scope',
        },
      }),
    ],
    ['an anonymous user', error(replies.forbidden('create', 'pods', 'etl', undefined, 'system:anonymous'))],
    ['another failure', new StepError('NodeLost', 'x', 'y')],
    ['an accident', new TypeError('x')],
  ])('for %s none is', (_, refused) => {
    expect(offerRole(refused, use, new JobLog())).toBe(refused);
    expect(written).toBe('');
  });
});
