import type { V1Status } from '@kubernetes/client-node';
import { type Reason, StepError } from '../github/failure.ts';
import type { Right, SelfReview } from './access.ts';
import { type Denial, denialOf } from './denial.ts';

/** What the API server was asked, in the words of its authorisation: `create pods in etl`. */
export type Asked = (Right | SelfReview) & { namespace: string; name?: string };

/** An answer of the API server that is not a success, explained. */
export class ApiError extends StepError {
  /** HTTP status. */
  readonly code: number;
  readonly status: V1Status;
  readonly asked: Asked;
  /** Seconds that the server asks to wait (Retry-After). */
  readonly retryAfterSeconds: number | undefined;
  /** The right that is missing, where that is why. */
  readonly denial: Denial | undefined;

  constructor(code: number, status: V1Status, asked: Asked, retryAfterSeconds?: number) {
    const { reason, title, sentence, remedy, denial } = explain(code, status, asked);
    super(reason, title, sentence, remedy === undefined ? {} : { remedy });
    this.denial = denial;
    this.code = code;
    this.status = status;
    this.asked = asked;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  /** The pod itself is not there. A log's 404 of a kubelet that has just restarted has `details.kind` "pods/log" and says nothing about the pod [measured]. */
  get podNotFound(): boolean {
    return this.code === 404 && this.status.details?.kind === 'pods';
  }
}

/** @returns the error of a server that has kept answering with it, with how long and what to do about that. */
export function lasting(error: ApiError, seconds: number): StepError {
  const { reason, title, message, remedy } = error;
  const patience = 'If it needs longer, raise `outage_timeout_seconds`.';
  return new StepError(reason, title, message.replace(/ with HTTP \d+/, `$& for ${Math.round(seconds)} s`), {
    remedy: remedy === undefined ? patience : `${remedy}. ${patience}`,
    cause: error,
  });
}

interface Explanation {
  reason: Reason;
  title: string;
  sentence: string;
  remedy?: string;
  denial?: Denial;
}

/**
 * One sentence for a failed request, and the way out.
 * The server's message is the only place where some causes (quota, admission, service account) can be told apart: its shapes were recorded from Kubernetes 1.36.
 */
export function explain(code: number, status: V1Status, asked: Asked): Explanation {
  const message = (status.message ?? '').trim() || `HTTP ${code}`;
  if (code === 401) return unauthorized();
  if (code === 403) return forbidden(message, asked);
  // Whatever code a policy denies with: a ValidatingAdmissionPolicy takes 422 [measured], a webhook what it likes.
  if (DENIED.test(message)) return refused(message, asked);
  if (code === 404 && status.details?.kind === 'namespaces') return missingNamespace(asked.namespace);
  if (code === 404) {
    return {
      reason: 'PodDeleted',
      title: 'Not found',
      sentence:
        asked.resource === 'pods/log'
          ? `The log of pod ${asked.name ?? ''} is gone, with the pod or its node: ${message}.`
          : `The API server knows no ${asked.resource} ${asked.name ?? ''} in namespace ${asked.namespace}: ${message}.`,
    };
  }
  if (code === 409 && status.reason === 'AlreadyExists')
    return { reason: 'NameTaken', title: 'Conflict', sentence: `The API server reports a conflict: ${message}.` };
  if (asked.resource === 'pods/exec' && /upgrade request required/i.test(message)) return noWebSockets();
  if (asked.resource !== 'pods/exec' && (code === 400 || code === 413 || code === 422))
    return { reason: 'InvalidPod', title: 'The API server refused the pod', sentence: causes(status, message) };
  const webhook = /failed calling webhook "([^"]+)"/.exec(message)?.[1];
  return {
    reason: 'ServerError',
    title: webhook === undefined ? 'Kubernetes API error' : 'An admission webhook does not answer',
    sentence: `The API server answered ${asked.verb} ${asked.resource} with HTTP ${code}: ${message}`,
    ...(webhook !== undefined && {
      remedy: `See to webhook ${webhook}: kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations`,
    }),
  };
}

function unauthorized(): Explanation {
  return {
    reason: 'Unauthorized',
    title: 'Not logged in to the cluster',
    sentence:
      'The API server does not accept the credentials of the kubeconfig (401 Unauthorized): the token or client certificate has expired, was revoked, or belongs to another cluster.',
    remedy: 'Renew the kubeconfig, in `kubeconfig` or `config_file`.',
  };
}

/** What the API server says of a request whose headers something has taken away that lives by itself. */
function noWebSockets(): Explanation {
  return {
    reason: 'Unreachable',
    title: 'No way for files',
    sentence:
      'Something between this runner and the API server does not let WebSockets through, by which files go: the server was asked without `Upgrade`.',
    remedy:
      'See to proxies that inspect TLS and to load balancers, or have NO_PROXY name the server. `workspace: checkout` and a claim do without.',
  };
}

/** Rights for anonymous users are the last thing to grant. */
function anonymous(): Explanation {
  return {
    reason: 'Unauthorized',
    title: 'Not logged in to the cluster',
    sentence:
      'The kubeconfig’s user has no credentials that the API server can use: it takes the request for an anonymous one.',
    remedy:
      'Check the user of this context in the kubeconfig: a token, a client certificate with its key, or a credential plugin.',
  };
}

function missingNamespace(namespace: string): Explanation {
  return {
    reason: 'NamespaceNotFound',
    title: 'No such namespace',
    sentence: `Namespace ${namespace} does not exist on this cluster.`,
    remedy: `Create it (kubectl create namespace ${namespace}), or correct \`namespace\`.`,
  };
}

function forbidden(message: string, asked: Asked): Explanation {
  const denial = denialOf(message);
  if (denial) return denied(denial, asked);
  // A webhook's words are its own, and can be those of anything below.
  if (DENIED.test(message)) return refused(message, asked);
  const quota = /exceeded quota: ([^,]+), requested: (.+), used: (.+), limited: (.+)$/.exec(message);
  if (quota) {
    const [, name, requested, used, limited] = quota;
    return {
      reason: 'QuotaExceeded',
      title: 'Quota exceeded',
      sentence: `ResourceQuota ${name} of namespace ${asked.namespace} has no room for this pod: it asks for ${requested}, ${used} is used, the limit is ${limited}.`,
      remedy: 'Lower `container_resources`, wait for other pods to end, or raise the quota.',
    };
  }
  const mustSpecify = /failed quota: ([^:]+): must specify (.+)$/.exec(message);
  if (mustSpecify) {
    return {
      reason: 'QuotaExceeded',
      title: 'Quota needs requests',
      sentence: `ResourceQuota ${mustSpecify[1]} of namespace ${asked.namespace} takes only pods that specify ${mustSpecify[2]}.`,
      remedy: 'Set them in `container_resources`.',
    };
  }
  const account = /serviceaccount "([a-z0-9.-]+)" not found$/.exec(message);
  if (account) {
    return {
      reason: 'ContainerConfig',
      title: 'No such service account',
      sentence: `Service account ${account[1]} does not exist in namespace ${asked.namespace}.`,
      remedy: `Create it (kubectl -n ${asked.namespace} create serviceaccount ${account[1]}), or correct \`service_account_name\`.`,
    };
  }
  const priority = /no PriorityClass with name ([a-z0-9.-]+) was found/.exec(message)?.[1];
  if (priority) return missingClass('PriorityClass', priority, 'priority_class_name');
  const runtime = /RuntimeClass "([a-z0-9.-]+)" not found/.exec(message)?.[1];
  if (runtime) return missingClass('RuntimeClass', runtime, 'runtime_class_name');
  if (/because it is being terminated/.test(message)) {
    return {
      reason: 'NamespaceNotFound',
      title: 'Namespace is being deleted',
      sentence: `Namespace ${asked.namespace} is being deleted and takes no new pods.`,
      remedy: 'Use another `namespace`.',
    };
  }
  const policy = /violates PodSecurity "([^"]+)": (.+)$/.exec(message);
  if (policy) {
    return {
      reason: 'Forbidden',
      title: 'Refused by Pod Security',
      sentence: `Namespace ${asked.namespace} enforces the Pod Security standard ${policy[1]}, which this pod violates: ${policy[2]}.`,
      remedy: 'Set what it names in `container_security_context` and `security_context`, or in the template.',
    };
  }
  const range = LIMIT_RANGE.exec(message)?.groups?.['faults'];
  if (range) {
    return {
      reason: 'Forbidden',
      title: 'Refused by a LimitRange',
      sentence: `A LimitRange of namespace ${asked.namespace} does not allow this pod: ${range}.`,
      remedy: `Change \`container_resources\`. The LimitRanges that there are: kubectl -n ${asked.namespace} describe limitrange`,
    };
  }
  return refused(message, asked);
}

/** One fault, or several in brackets: `maximum memory usage per Container is 64Mi, but limit is 128Mi`. */
const LIMIT_RANGE =
  / is forbidden: \[?(?<faults>(?:minimum|maximum) \S+ (?:usage|limit) per (?:Container|Pod) .*?|\S+ max limit to request ratio per (?:Container|Pod) .*?)\]?$/s;

function denied(denial: Denial, asked: Asked): Explanation {
  const { user, verb, resource, namespace = asked.namespace, why } = denial;
  if (user === 'system:anonymous') return anonymous();
  // Most names are plain; one with blanks or line breaks in it would read as a part of the sentence.
  const who = /^[\w.:@/+=-]+$/.test(user) ? user : JSON.stringify(user);
  const title = 'Permission missing';
  if (verb.startsWith('impersonate'))
    return {
      reason: 'Forbidden',
      title,
      sentence: `${who} may not act as the user, group or service account that the kubeconfig’s user names in \`as\` (${verb} ${resource})${because(why)}.`,
      remedy:
        'Take `as` out of the kubeconfig; or have a ClusterRole and a ClusterRoleBinding allow it: impersonate on users, groups or serviceaccounts.',
    };
  return {
    reason: 'Forbidden',
    title,
    sentence: `${who} may not ${verb} ${resource} in namespace ${namespace}${because(why)}.`,
    remedy: `Grant it with a Role that has the verb ${verb} on ${resource} (the README shows the whole Role), or use a namespace or credentials that may.`,
    denial,
  };
}

function because(why: string | undefined): string {
  return why === undefined ? '' : `: ${why.trim().replace(/\.$/, '')}`;
}

function missingClass(kind: 'PriorityClass' | 'RuntimeClass', name: string, input: string): Explanation {
  return {
    reason: 'ContainerConfig',
    title: `No such ${kind}`,
    sentence: `${kind} "${name}" does not exist on this cluster.`,
    remedy: `Correct \`${input}\` or the template. Those that there are: kubectl get ${kind.toLowerCase()}`,
  };
}

const DENIED = /admission webhook "[^"]*" denied|ValidatingAdmissionPolicy .* denied request/s;

function refused(message: string, asked: Asked): Explanation {
  const why = message.replace(/^\S+ "[^"]*" is forbidden: /, '').replace(/\.$/, '');
  return {
    reason: 'Forbidden',
    title: 'Refused by the cluster',
    sentence: `The cluster refused to ${asked.verb} ${asked.resource} in namespace ${asked.namespace}: ${why}.`,
  };
}

/** The causes of an invalid object, each with its field. */
function causes(status: V1Status, message: string): string {
  const list = status.details?.causes ?? [];
  if (list.length > 0) return list.map(cause => `${cause.field}: ${cause.message}`).join('; ');
  return /strict decoding error: (.+)$/s.exec(message)?.[1] ?? message;
}
