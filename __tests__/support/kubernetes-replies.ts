/** Answers of a Kubernetes API server that are not a success, as version 1.36 writes them. */

export interface Reply {
  code: number;
  /** A string is sent as plain text, anything else as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
}

export interface StatusCause {
  reason?: string;
  message: string;
  field?: string;
}

export interface Status {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: object;
  status: 'Failure';
  message: string;
  reason?: string;
  details?: { name?: string; kind?: string; causes?: StatusCause[]; retryAfterSeconds?: number };
  code: number;
}

export function status(
  code: number,
  reason: string | undefined,
  message: string,
  details?: Status['details'],
): Reply & { body: Status } {
  return {
    code,
    body: {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      ...(reason !== undefined && { reason }),
      ...(details && { details }),
      code,
    },
  };
}

export const replies = {
  unauthorized: () => status(401, 'Unauthorized', 'Unauthorized'),
  badRequest: (message: string) => status(400, 'BadRequest', message),
  strictDecoding: (...fields: string[]) =>
    replies.badRequest(
      `Pod in version "v1" cannot be handled as a Pod: strict decoding error: ${fields.map(field => `unknown field "${field}"`).join(', ')}`,
    ),
  podNotFound: (name: string) => status(404, 'NotFound', `pods "${name}" not found`, { name, kind: 'pods' }),
  namespaceNotFound: (name: string) =>
    status(404, 'NotFound', `namespaces "${name}" not found`, { name, kind: 'namespaces' }),
  /** For about a second after a kubelet's restart, although pod and container live. */
  logNotFound: (name: string) =>
    status(404, 'NotFound', `the server could not find the requested resource ( pods/log ${name})`, {
      name,
      kind: 'pods/log',
    }),
  noSuchResource: () => status(404, 'NotFound', 'the server could not find the requested resource', {}),
  alreadyExists: (name: string) =>
    status(409, 'AlreadyExists', `pods "${name}" already exists`, { name, kind: 'pods' }),
  wrongUid: (name: string, wanted: string, uid: string) =>
    status(
      409,
      'Conflict',
      `Operation cannot be fulfilled on Pod "${name}": the UID in the precondition (${wanted}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`,
      { name, kind: 'Pod' },
    ),
  changedSince: (name: string) =>
    status(
      409,
      'Conflict',
      `Operation cannot be fulfilled on pods "${name}": the object has been modified; please apply your changes to the latest version and try again`,
      { name, kind: 'pods' },
    ),
  /** RBAC. */
  forbidden: (
    verb: string,
    resource = 'pods',
    namespace = 'default',
    name?: string,
    user = 'system:serviceaccount:ci:runner',
  ) =>
    refused(
      `User "${user}" cannot ${verb} resource "${resource}" in API group "" in the namespace "${namespace}"`,
      resource.split('/')[0] ?? resource,
      name,
    ),
  quota: (name: string, quota = 'compute', requested = 'pods=1', used = 'pods=2', limited = 'pods=2') =>
    refused(`exceeded quota: ${quota}, requested: ${requested}, used: ${used}, limited: ${limited}`, 'pods', name),
  podSecurity: (name: string, what = 'privileged (container "base" must not set securityContext.privileged=true)') =>
    refused(`violates PodSecurity "restricted:latest": ${what}`, 'pods', name),
  serviceAccountNotFound: (name: string, account: string, namespace = 'default') =>
    refused(
      `error looking up service account ${namespace}/${account}: serviceaccount "${account}" not found`,
      'pods',
      name,
    ),
  invalid: (name: string, ...causes: Required<StatusCause>[]) => {
    const list = causes.map(cause => `${cause.field}: ${cause.message}`);
    const message = list.length === 1 ? list[0] : `[${list.join(', ')}]`;
    return status(422, 'Invalid', `Pod "${name}" is invalid: ${message}`, { name, kind: 'Pod', causes });
  },
  /** Priority and fairness, and max-in-flight, answer in plain text; the request was not executed. */
  tooManyRequests: (retryAfterSeconds = 1): Reply => ({
    code: 429,
    body: 'Too many requests, please try again later.\n',
    headers: { 'Retry-After': String(retryAfterSeconds) },
  }),
  internalError: (what: string) =>
    status(500, 'InternalError', `Internal error occurred: ${what}`, { causes: [{ message: what }] }),
  /** For a log while the kubelet is down. */
  kubeletDown: (namespace: string, name: string, container: string) =>
    status(
      500,
      undefined,
      `Get "https://node-1:10250/containerLogs/${namespace}/${name}/${container}?follow=true&timestamps=true": dial tcp 192.0.2.1:10250: connect: connection refused`,
    ),
  unavailable: (): Reply => ({ code: 503, body: 'apiserver is shutting down\n' }),
  /** In a watch it comes as the object of an ERROR event in a 200 answer. */
  expired: (asked: string, oldest: string) => status(410, 'Expired', `too old resource version: ${asked} (${oldest})`),
};

function refused(why: string, kind: string, name?: string): Reply & { body: Status } {
  return status(403, 'Forbidden', `${kind}${name === undefined ? '' : ` "${name}"`} is forbidden: ${why}`, {
    ...(name !== undefined && { name }),
    kind,
  });
}
