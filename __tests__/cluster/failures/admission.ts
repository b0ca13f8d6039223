import { type Place, type Scenario, SHELL } from './scenario.ts';

/** The API server takes no pod of this kind, by rules of the cluster's or of the namespace's. */
export const ADMISSION: Scenario[] = [
  {
    name: 'The quota is used up',
    alone: true,
    before: place => quota(place, 'pods=0'),
    inputs: {},
    expected: {
      title: 'Quota exceeded',
      says: 'ResourceQuota small of namespace NS has no room for this pod: it asks for pods=1, pods=0 is used, the limit is pods=0. Lower `container_resources`, wait for other pods to end, or raise the quota.',
      reason: 'QuotaExceeded',
    },
  },
  {
    name: 'The quota takes only pods that say what they need',
    alone: true,
    before: place => quota(place, 'requests.cpu=1,limits.memory=1Gi'),
    inputs: {},
    expected: {
      title: 'Quota needs requests',
      says: 'ResourceQuota small of namespace NS takes only pods that specify limits.memory for: base; requests.cpu for: base. Set them in `container_resources`.',
      reason: 'QuotaExceeded',
    },
  },
  {
    name: 'More than the LimitRange allows',
    alone: true,
    async before({ namespace }) {
      const spec = { limits: [{ type: 'Container', max: { memory: '64Mi' } }] };
      const range = { apiVersion: 'v1', kind: 'LimitRange', metadata: { name: 'small' }, spec };
      await namespace.kubectl(['create', '-f', '-'], JSON.stringify(range));
    },
    inputs: { container_resources: '{limits: {memory: 128Mi}}' },
    expected: {
      title: 'Refused by a LimitRange',
      says: 'A LimitRange of namespace NS does not allow this pod: maximum memory usage per Container is 64Mi, but limit is 128Mi. Change `container_resources`. The LimitRanges that there are: kubectl -n NS describe limitrange',
      reason: 'Forbidden',
    },
  },
  {
    name: 'Pod Security refuses the pod',
    alone: true,
    before: ({ namespace, kubectl }) =>
      kubectl(['label', 'namespace', namespace.name, 'pod-security.kubernetes.io/enforce=restricted']),
    inputs: {},
    expected: {
      title: 'Refused by Pod Security',
      says: 'Namespace NS enforces the Pod Security standard restricted:latest, which this pod violates: allowPrivilegeEscalation != false (container "base" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "base" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "base" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "base" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"). Set what it names in `container_security_context` and `security_context`, or in the template.',
      reason: 'Forbidden',
    },
  },
  {
    name: 'A ValidatingAdmissionPolicy refuses the pod',
    alone: true,
    before: admissionPolicy,
    inputs: {},
    after: ({ kubectl }) =>
      kubectl(['delete', 'validatingadmissionpolicybinding/cost-centre', 'validatingadmissionpolicy/cost-centre']),
    expected: {
      title: 'Refused by the cluster',
      says: "The cluster refused to create pods in namespace NS: ValidatingAdmissionPolicy 'cost-centre' with binding 'cost-centre' denied request: annotate the pod with example.com/cost-centre.",
      reason: 'Forbidden',
    },
  },
  {
    name: 'An admission webhook does not answer',
    alone: true,
    before: brokenWebhook,
    inputs: { outage_timeout_seconds: '4' },
    after: ({ kubectl }) => kubectl(['delete', 'validatingwebhookconfiguration/pod-policy']),
    // Between two tries there are up to 5 s.
    takes: 8,
    expected: {
      title: 'An admission webhook does not answer',
      says: 'The API server answered create pods with HTTP 500 for … s: Internal error occurred: failed calling webhook "pods.policy.example.com": …connection refused. See to webhook pods.policy.example.com: kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations. If it needs longer, raise `outage_timeout_seconds`.',
      reason: 'ServerError',
    },
  },
];

/** The quota controller fills in what is used; until then the quota is not enforced. */
async function quota({ namespace }: Place, hard: string): Promise<void> {
  await namespace.kubectl(['create', 'quota', 'small', `--hard=${hard}`]);
  await namespace.kubectl(['wait', '--for=jsonpath={.status.used}', 'quota/small', '--timeout=30s']);
}

const inNamespace = ({ name }: Place['namespace']) => ({ matchLabels: { 'kubernetes.io/metadata.name': name } });
const PODS = { apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] };

async function admissionPolicy({ namespace, kubectl }: Place): Promise<void> {
  const head = { apiVersion: 'admissionregistration.k8s.io/v1', metadata: { name: 'cost-centre' } };
  const matchConstraints = { resourceRules: [{ ...PODS, operations: ['CREATE'] }] };
  const expression = "has(object.metadata.annotations) && 'example.com/cost-centre' in object.metadata.annotations";
  const message = 'annotate the pod with example.com/cost-centre';
  const policy = { matchConstraints, validations: [{ expression, message }] };
  const matchResources = { namespaceSelector: inNamespace(namespace) };
  const binding = { policyName: 'cost-centre', validationActions: ['Deny'], matchResources };
  for (const [kind, spec] of Object.entries({
    ValidatingAdmissionPolicy: policy,
    ValidatingAdmissionPolicyBinding: binding,
  }))
    await kubectl(['apply', '-f', '-'], JSON.stringify({ ...head, kind, spec }));
  await enforced(namespace);
}

async function brokenWebhook({ namespace, kubectl }: Place): Promise<void> {
  const webhook = {
    ...{ name: 'pods.policy.example.com', admissionReviewVersions: ['v1'], sideEffects: 'None', failurePolicy: 'Fail' },
    ...{ timeoutSeconds: 1, clientConfig: { url: 'https://127.0.0.1:1/pods' } },
    rules: [{ ...PODS, operations: ['CREATE'] }],
    namespaceSelector: inNamespace(namespace),
  };
  const head = { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingWebhookConfiguration' };
  const configuration = { ...head, metadata: { name: 'pod-policy' }, webhooks: [webhook] };
  await kubectl(['apply', '-f', '-'], JSON.stringify(configuration));
  await enforced(namespace);
}

/** The API server takes a moment to heed what is new. */
async function enforced(namespace: Place['namespace']): Promise<void> {
  for (;;) {
    const trying = namespace.kubectl(['run', 'probe', `--image=${SHELL}`, '--dry-run=server', '--restart=Never']);
    if (
      (await trying.then(
        () => 'taken',
        () => 'refused',
      )) === 'refused'
    )
      return;
  }
}
