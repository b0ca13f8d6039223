import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { denialOf } from '../../src/kubernetes/denial.ts';

/** As the API server writes it (apiserver, responsewriters/errors.go): Go's %q, then three characters as entities. */
const message = (quoted: string, tail = ' in the namespace "etl"') =>
  `pods is forbidden: User "${quoted}" cannot create resource "pods" in API group ""${tail}`;
const entities = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

describe('what was denied', () => {
  test.each([
    ['in a namespace', message('u'), { user: 'u', verb: 'create', resource: 'pods', namespace: 'etl' }],
    ['everywhere', message('u', ' at the cluster scope'), { user: 'u', verb: 'create', resource: 'pods' }],
    [
      'of an object',
      'pods "p" is forbidden: User "u" cannot get resource "pods/log" in API group "" in the namespace "etl"',
      { user: 'u', verb: 'get', resource: 'pods/log', namespace: 'etl' },
    ],
    [
      'for a reason',
      message('u', ' in the namespace "etl": RBAC: role.rbac.authorization.k8s.io "x" not found'),
      expect.objectContaining({ namespace: 'etl', why: 'RBAC: role.rbac.authorization.k8s.io "x" not found' }),
    ],
  ])('%s', (_, text, expected) => {
    expect(denialOf(text)).toEqual(expected);
  });

  test.each([
    ['', ''],
    // As kube-apiserver 1.36 wrote it to a user of that name.
    ['a\\"b: &lt;c&gt;&amp;amp; \\\\d {x} #é', 'a"b: <c>&amp; \\d {x} #é'],
    ['two\\nlines\\tand\\r\\x00\\x1f\\x7f', 'two\nlines\tand\r\u0000\u001f\u007f'],
    ['\\a\\b\\f\\v', '\u0007\b\f\v'],
    ['\\u2028\\ufffd\\U000e0001', '\u2028\ufffd\u{e0001}'],
    ['\\\\n is no line break', '\\n is no line break'],
    ['x\\" cannot get resource \\"y\\" in API group \\"\\"', 'x" cannot get resource "y" in API group ""'],
    ['ValidatingAdmissionPolicy admission webhook \\"w\\"', 'ValidatingAdmissionPolicy admission webhook "w"'],
  ])('to %j, as the server quotes the name', (quoted, user) => {
    expect(denialOf(message(quoted))).toEqual({ user, verb: 'create', resource: 'pods', namespace: 'etl' });
  });

  test('to anybody', () => {
    // JSON's escapes are Go's but for \/, which JSON.stringify does not write.
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), user => {
        expect(denialOf(message(entities(JSON.stringify(user).slice(1, -1))))?.user).toBe(user);
      }),
    );
  });

  test.each([
    ['bytes that are no text', message('\\xff')],
    ['a code beyond Unicode', message('\\U00110000')],
  ])('is not known of a name with %s', (_, text) => {
    expect(denialOf(text)).toBeUndefined();
  });

  test.each([
    ['a webhook', `admission webhook "w" denied the request: ${message('u')}`],
    [
      'a policy',
      `pods "p" is forbidden: ValidatingAdmissionPolicy 'x' with binding 'y' denied request: ${message('u')}`,
    ],
    ['a quota', 'pods "p" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1'],
    ['Pod Security', 'pods "p" is forbidden: violates PodSecurity "restricted:latest": privileged'],
    ['nothing', ''],
  ])('is nothing where the 403 is that of %s', (_, text) => {
    expect(denialOf(text)).toBeUndefined();
  });
});
