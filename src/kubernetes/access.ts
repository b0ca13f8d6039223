import { createHash } from 'node:crypto';
import type { RbacV1Subject, V1PolicyRule, V1Role, V1RoleBinding } from '@kubernetes/client-node';

/** A resource of the API, and what is asked of it. */
interface Access {
  verbs: readonly string[];
  /** For people who read a Role: what it is for, and what becomes of a step without it. */
  purpose: string;
}

/**
 * All that is ever asked of the API, all of it in the core group and within the pod's namespace: no request can be written that is not in this table ({@link Right}; but for {@link SelfReview}), and the Roles in the docs are made of it.
 * A pod is watched by its name; pods are listed only by a re-run, which looks for those of earlier attempts.
 */
export const ACCESS = {
  pods: {
    verbs: ['create', 'get', 'watch', 'delete', 'list', 'patch'],
    purpose:
      'To run the pod, to clean up, and to find the pod that the runner itself may be. A dry run only creates; without watch the pod is asked for every 2 s. list and patch are for a re-run, which looks for the pod of an earlier attempt and marks it as taken; patch is for a result, too, where another container of the pod runs on.',
  },
  'pods/log': {
    verbs: ['get'],
    purpose:
      'To show its log, and to read a result that a sidecar sends. Without it the step runs, and a warning says that the log cannot be read.',
  },
  events: {
    verbs: ['list', 'watch'],
    purpose: 'To say why a pod does not start; works without, and says less.',
  },
  secrets: {
    verbs: ['create', 'delete'],
    purpose:
      'For run, secret_env, secret_files, registry_password and workspace: checkout alone; delete is for the last, whose token goes as soon as the checkout is done.',
  },
  'pods/exec': {
    verbs: ['get', 'create'],
    purpose:
      'For workspace: upload and download alone, which speak to a container of their own in the pod. Who may do that may run programs in every pod of the namespace.',
  },
} as const satisfies Record<string, Access>;

export type Resource = keyof typeof ACCESS;

/** The same for `sweep/`, whose Role is one of its own: what a step may not do it does not get by being swept up after. */
export const SWEEP_ACCESS = {
  pods: {
    verbs: ['list', 'delete'],
    purpose: 'To find the pods that were left behind, and to delete them. A dry run only lists.',
  },
  secrets: {
    verbs: ['list', 'delete'],
    purpose:
      'Optional, for Secrets whose pod is gone. The cluster deletes those by itself, and who may list Secrets may read them.',
  },
} as const satisfies Record<string, Access>;

type RightsIn<T extends Record<string, Access>> = {
  [R in keyof T]: { resource: R; verb: T[R]['verbs'][number] };
}[keyof T];

/** A verb on a resource, with its subresource: `get pods/log`. */
export type Right = RightsIn<typeof ACCESS> | RightsIn<typeof SWEEP_ACCESS>;

/** What whoever is logged in may ask about themselves (ClusterRole `system:basic-user`): it takes no Role, and an answer is not counted on. */
export type SelfReview = { verb: 'create'; resource: 'selfsubjectaccessreviews' | 'selfsubjectreviews' };

/** What a step does on the cluster, as far as it takes rights. */
export interface Use {
  /** The pod is shown to the server and not created: nothing else counts then. */
  dryRun: boolean;
  /** The containers' logs are read. */
  logs: boolean;
  /** The step's own secrets become Secrets. */
  ownSecrets: boolean;
  /** A Secret of them goes before its pod does. */
  passingSecret?: boolean;
  /** Files are taken into the pod, or out of it. */
  files?: boolean;
}

/** @returns the rules of a Role that allows this and nothing else. Events are among them, for a failure says more with them. */
export function rulesFor({ dryRun, logs, ownSecrets, passingSecret, files }: Use): V1PolicyRule[] {
  if (dryRun) return [rule('pods', ['create'])];
  return [
    rule('pods'),
    ...(logs ? [rule('pods/log')] : []),
    rule('events'),
    ...(ownSecrets ? [rule('secrets', ['create', ...(passingSecret ? ['delete'] : [])])] : []),
    ...(files ? [rule('pods/exec')] : []),
  ];
}

/** @returns the rules for all that a step can ask for, each with its purpose. */
export function everyRule(): { rule: V1PolicyRule; purpose: string }[] {
  return (Object.keys(ACCESS) as Resource[]).map(resource => ({
    rule: rule(resource),
    purpose: ACCESS[resource].purpose,
  }));
}

/** @returns the rules of a Role for a sweep, without what is optional. */
export function sweepRulesFor({ dryRun }: Pick<Use, 'dryRun'>): V1PolicyRule[] {
  return [rule('pods', dryRun ? ['list'] : SWEEP_ACCESS.pods.verbs)];
}

/** @returns the rules for all that a sweep can ask for, each with its purpose, what it can do without last. */
export function everySweepRule(): { rule: V1PolicyRule; purpose: string; optional: boolean }[] {
  return (['pods', 'secrets'] as const).map(resource => ({
    rule: rule(resource, SWEEP_ACCESS[resource].verbs),
    purpose: SWEEP_ACCESS[resource].purpose,
    optional: resource === 'secrets',
  }));
}

/** Whether the rules allow a verb on a resource, as the API server names them. */
export function allows(rules: readonly V1PolicyRule[], verb: string, resource: string): boolean {
  return rules.some(({ resources = [], verbs }) => resources.includes(resource) && verbs.includes(verb));
}

/**
 * The Role with these rules, and the RoleBinding that gives it to one user.
 * Both are named after user and rules together: applied beside what other steps were granted, they take nothing away from them (a RoleBinding's list of subjects is replaced as a whole, its Role cannot be changed).
 * @param user any text, as the API server names the user in its 403
 */
export function grant(user: string, namespace: string, rules: V1PolicyRule[]): [V1Role, V1RoleBinding] {
  const subject = subjectOf(user);
  const hash = createHash('sha256')
    .update(JSON.stringify([subject, rules]))
    .digest('hex');
  const metadata = { name: `kubernetes-pod-step-${hash.slice(0, 8)}`, namespace };
  const apiVersion = `${RBAC}/v1`;
  return [
    { apiVersion, kind: 'Role', metadata, rules },
    {
      apiVersion,
      kind: 'RoleBinding',
      metadata: { ...metadata },
      roleRef: { apiGroup: RBAC, kind: 'Role', name: metadata.name },
      subjects: [subject],
    },
  ];
}

const RBAC = 'rbac.authorization.k8s.io';

/** What is no service account is a user, whatever its name looks like. */
function subjectOf(user: string): RbacV1Subject {
  const [, namespace, name] =
    /^system:serviceaccount:([a-z0-9](?:[-a-z0-9]*[a-z0-9])?):([a-z0-9](?:[-.a-z0-9]*[a-z0-9])?)$/.exec(user) ?? [];
  if (namespace === undefined || name === undefined) return { apiGroup: RBAC, kind: 'User', name: user };
  return { kind: 'ServiceAccount', name, namespace };
}

function rule(resource: Resource, verbs: readonly string[] = ACCESS[resource].verbs): V1PolicyRule {
  return { apiGroups: [''], resources: [resource], verbs: [...verbs] };
}
