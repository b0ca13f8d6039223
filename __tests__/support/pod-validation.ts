import { type Reply, replies } from './kubernetes-replies.ts';

/** Fields of version 1.36, as far as a strict decoder is imitated: pod, spec and containers. */
const podFields = 'apiVersion kind metadata spec status'.split(' ');
const specFields =
  `activeDeadlineSeconds affinity automountServiceAccountToken containers dnsConfig dnsPolicy enableServiceLinks ephemeralContainers
  hostAliases hostIPC hostNetwork hostPID hostUsers hostname hostnameOverride imagePullSecrets initContainers nodeName nodeSelector os overhead
  preemptionPolicy priority priorityClassName readinessGates resourceClaims resources restartPolicy runtimeClassName schedulerName schedulingGates
  securityContext serviceAccount serviceAccountName setHostnameAsFQDN shareProcessNamespace subdomain terminationGracePeriodSeconds tolerations
  topologySpreadConstraints volumes workloadRef`.split(/\s+/);
const containerFields =
  `args command env envFrom image imagePullPolicy lifecycle livenessProbe name ports readinessProbe resizePolicy resources
  restartPolicy restartPolicyRules securityContext startupProbe stdin stdinOnce terminationMessagePath terminationMessagePolicy tty volumeDevices
  volumeMounts workingDir`.split(/\s+/);

type Json = Record<string, unknown>;

/** Refuses what an API server would refuse of a pod, in the cases a test is likely to meet. */
export function checkPod(body: unknown, strict: boolean): { refusal: Reply } | { pod: Json; name: string } {
  if (!isJson(body) || body['kind'] !== 'Pod' || !isJson(body['metadata'])) {
    return { refusal: replies.badRequest('the object provided is unrecognized (must be of type Pod)') };
  }
  const spec = isJson(body['spec']) ? body['spec'] : {};
  const unknown = unknownFields(body, spec);
  if (strict && unknown.length > 0) return { refusal: replies.strictDecoding(...unknown) };
  const name = String(body['metadata']['name'] ?? '');
  if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name) || name.length > 253) {
    const message = `Invalid value: "${name}": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`;
    return { refusal: replies.invalid(name, { reason: 'FieldValueInvalid', message, field: 'metadata.name' }) };
  }
  if (!Array.isArray(spec['containers']) || spec['containers'].length === 0) {
    return {
      refusal: replies.invalid(name, {
        reason: 'FieldValueRequired',
        message: 'Required value',
        field: 'spec.containers',
      }),
    };
  }
  return { pod: body, name };
}

function unknownFields(pod: Json, spec: Json): string[] {
  const unknown = (object: Json, known: readonly string[], prefix: string): string[] =>
    Object.keys(object)
      .filter(key => !known.includes(key))
      .map(key => prefix + key);
  const containers = ['initContainers', 'containers'].flatMap(list =>
    asList(spec[list]).flatMap((container, index) => unknown(container, containerFields, `spec.${list}[${index}].`)),
  );
  return [...unknown(pod, podFields, ''), ...unknown(spec, specFields, 'spec.'), ...containers];
}

function asList(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter(isJson) : [];
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
