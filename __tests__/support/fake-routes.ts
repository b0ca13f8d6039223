import type { FakeAnswer } from './fake-answer.ts';
import { parseTime } from './fake-clock.ts';
import type { FakeCluster, WatchEvent } from './fake-cluster.ts';
import type { FakeEvents } from './fake-events.ts';
import { listReply } from './fake-lists.ts';
import type { FakePod } from './fake-pod.ts';
import type { FakeSecrets } from './fake-secrets.ts';
import type { RecordedRequest, Verb } from './faults.ts';
import { type Reply, replies } from './kubernetes-replies.ts';
import { checkPod } from './pod-validation.ts';

export interface Routes {
  cluster: FakeCluster;
  /** minor version of GET /version */
  minor: string;
  events: FakeEvents;
  secrets: FakeSecrets;
  /** Namespaces that do not exist. */
  missingNamespaces: ReadonlySet<string>;
  created(pod: FakePod): void;
  /** Bookmarks reach the watches that asked for them. */
  onBookmark(listener: () => void): () => void;
}

interface Target {
  namespace: string;
  resource: string;
  name?: string;
  subresource?: string;
}

const podsPath = /^\/api\/v1\/namespaces\/([^/]+)\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/;

export function verbOf(method: string, path: string, query: Record<string, string>): Verb {
  const target = targetOf(path);
  if (target?.resource !== 'pods') return 'other';
  if (target.subresource !== undefined) return target.subresource === 'log' && method === 'GET' ? 'log' : 'other';
  if (method === 'POST') return 'create';
  if (method === 'DELETE') return 'delete';
  if (method === 'PATCH') return 'patch';
  if (method !== 'GET') return 'other';
  if (target.name !== undefined) return 'get';
  return isTrue(query['watch']) ? 'watch' : 'list';
}

/** An answer at once, or one that goes on. */
type Outcome = Reply | ((answer: FakeAnswer) => void);

export function route(request: RecordedRequest, answer: FakeAnswer, routes: Routes): void {
  const outcome = decide(request, routes);
  if (typeof outcome === 'function') outcome(answer);
  else answer.reply(outcome);
}

function decide(request: RecordedRequest, routes: Routes): Outcome {
  const target = targetOf(request.path);
  const namespace = target?.namespace ?? 'default';
  switch (request.verb) {
    case 'create':
      return routes.missingNamespaces.has(namespace)
        ? replies.namespaceNotFound(namespace)
        : create(request, namespace, routes);
    case 'list':
      return list(request, namespace, routes.cluster);
    case 'watch':
      return answer => watch(request, namespace, answer, routes);
    case 'get':
    case 'patch':
    case 'delete':
    case 'log': {
      const pod = routes.cluster.find(namespace, target?.name ?? '');
      if (!pod) return replies.podNotFound(target?.name ?? '');
      if (request.verb === 'log') return log(request, pod);
      if (request.verb === 'patch') return annotate(request, pod);
      return request.verb === 'delete' ? remove(request, pod) : { code: 200, body: pod.object };
    }
    default:
      return other(request, target, routes);
  }
}

function other(request: RecordedRequest, target: Target | undefined, routes: Routes): Outcome {
  const { method, path, body, query } = request;
  if (path === '/version') {
    const version = { major: '1', minor: routes.minor, gitVersion: `v1.${routes.minor}.0`, platform: 'linux/amd64' };
    return { code: 200, body: version };
  }
  if (path === '/readyz' || path === '/livez') return { code: 200, body: 'ok' };
  if (target?.resource === 'events' && method === 'GET')
    return isTrue(query['watch']) ? answer => routes.events.watch(request, answer) : routes.events.list();
  if (target?.resource === 'secrets' && method !== 'POST')
    return target.name === undefined ? routes.secrets.list(request) : routes.secrets.remove(target.name, request);
  if (target?.resource === 'secrets') return { code: 201, body: body as Reply['body'] };
  return replies.noSuchResource();
}

function create(request: RecordedRequest, namespace: string, { cluster, created }: Routes): Reply {
  const checked = checkPod(request.body, request.query['fieldValidation'] === 'Strict');
  if ('refusal' in checked) return checked.refusal;
  const { pod: manifest, name } = checked;
  if (cluster.find(namespace, name)) return replies.alreadyExists(name);
  if (request.query['dryRun'] === 'All') return { code: 201, body: cluster.wouldCreate(manifest, namespace) };
  const pod = cluster.create(manifest, namespace);
  const body = structuredClone(pod.object);
  created(pod);
  return { code: 201, body };
}

function list(request: RecordedRequest, namespace: string, cluster: FakeCluster): Reply {
  const items = cluster.list(namespace).map(pod => pod.object);
  const selected = items.filter(object => selects(request.query, object));
  return listReply('PodList', selected, cluster.version, request);
}

function watch(
  { query }: RecordedRequest,
  namespace: string,
  answer: FakeAnswer,
  { cluster, onBookmark }: Routes,
): void {
  const send = (event: WatchEvent): void => answer.write(`${JSON.stringify(event)}\n`);
  const sendIfSelected = (event: WatchEvent & { object: { metadata: { namespace: string } } }): void => {
    if (event.object.metadata.namespace === namespace && selects(query, event.object))
      send({ type: event.type, object: event.object });
  };
  const asked = query['resourceVersion'] ?? '';
  const fresh = asked === '' || asked === '0';
  const watching = cluster.watch(fresh ? cluster.version : asked, sendIfSelected);
  answer.stream(200, { 'Content-Type': 'application/json' });
  if (!watching) {
    send({ type: 'ERROR', object: replies.expired(asked, cluster.oldest).body });
    answer.end();
    return;
  }
  if (fresh) for (const pod of cluster.list(namespace)) sendIfSelected({ type: 'ADDED', object: pod.object });
  for (const event of watching.missed) sendIfSelected(event);
  const stopBookmarks = onBookmark(() => {
    const metadata = { resourceVersion: cluster.version, creationTimestamp: null };
    if (isTrue(query['allowWatchBookmarks']))
      send({ type: 'BOOKMARK', object: { kind: 'Pod', apiVersion: 'v1', metadata } });
  });
  const seconds = Number(query['timeoutSeconds'] ?? 0);
  const timer = seconds > 0 ? setTimeout(() => answer.end(), seconds * 1000) : undefined;
  answer.onEnd(() => {
    clearTimeout(timer);
    stopBookmarks();
    watching.stop();
  });
}

/** A merge patch of metadata (annotations and owners), in which a UID or a resource version is a precondition. */
function annotate({ body }: RecordedRequest, pod: FakePod): Reply {
  const { metadata } = body as {
    metadata: {
      uid?: string;
      resourceVersion?: string;
      annotations?: Record<string, string>;
      ownerReferences?: unknown[];
    };
  };
  const { uid, resourceVersion } = pod.object.metadata;
  if (metadata.uid !== undefined && metadata.uid !== uid) return replies.wrongUid(pod.name, metadata.uid, uid);
  if (metadata.resourceVersion !== undefined && metadata.resourceVersion !== resourceVersion)
    return replies.changedSince(pod.name);
  pod.patch(object => {
    object.metadata.annotations = { ...object.metadata.annotations, ...metadata.annotations };
    if (metadata.ownerReferences) object.metadata.ownerReferences = metadata.ownerReferences;
  });
  return { code: 200, body: pod.object };
}

function remove({ query, body }: RecordedRequest, pod: FakePod): Reply {
  const options = (typeof body === 'object' && body !== null ? body : {}) as {
    gracePeriodSeconds?: number;
    preconditions?: { uid?: string };
  };
  const uid = options.preconditions?.uid;
  if (uid !== undefined && uid !== pod.object.metadata.uid)
    return replies.wrongUid(pod.name, uid, pod.object.metadata.uid);
  const grace = query['gracePeriodSeconds'] ?? options.gracePeriodSeconds;
  pod.delete(grace === undefined ? undefined : Number(grace));
  return { code: 200, body: pod.object };
}

function log({ query }: RecordedRequest, pod: FakePod): Outcome {
  const names = pod.containers;
  const container = query['container'] ?? (names.length === 1 ? names[0] : undefined);
  if (container === undefined) {
    const choice = `choose one of: [${names.join(' ')}]`;
    return replies.badRequest(`a container name must be specified for pod ${pod.name}, ${choice}`);
  }
  if (!names.includes(container)) return replies.badRequest(`container ${container} is not valid for pod ${pod.name}`);
  let since: bigint | undefined;
  try {
    // The API server hands the time on to the kubelet in whole seconds (kubernetes/kubernetes#77856).
    if (query['sinceTime']) since = (parseTime(query['sinceTime']) / 1_000_000_000n) * 1_000_000_000n;
  } catch (error) {
    return replies.badRequest(String(error));
  }
  if (pod.object.spec.nodeName === undefined) return { code: 204 };
  const found = pod.logOf(container, isTrue(query['previous']));
  if ('refusal' in found) return replies.badRequest(found.refusal);
  if ('text' in found) return { code: 200, body: found.text };
  const reader = found.reader({
    timestamps: isTrue(query['timestamps']),
    ...(since !== undefined && { sinceNs: since }),
    ...(query['tailLines'] !== undefined && { tailLines: Number(query['tailLines']) }),
  });
  return answer => {
    const send = (): void => {
      answer.write(reader.read());
      if (found.over || !isTrue(query['follow'])) answer.end();
    };
    answer.stream(200, { 'Content-Type': 'text/plain' });
    answer.onEnd(reader.onChange(send));
    send();
  };
}

export function selects(query: Record<string, string>, object: unknown): boolean {
  const { metadata, status } = object as {
    metadata: { name: string; uid: string; labels?: Record<string, string> };
    status: { phase: string };
  };
  const fields: Record<string, string> = {
    'metadata.name': metadata.name,
    'metadata.uid': metadata.uid,
    'status.phase': status.phase,
  };
  return holds(query['fieldSelector'], fields) && holds(query['labelSelector'], metadata.labels ?? {});
}

/** Terms `key=value`, `key==value`, `key!=value`, a bare `key` and `!key`, joined by commas. */
function holds(selector: string | undefined, values: Record<string, string>): boolean {
  return (selector ?? '')
    .split(',')
    .filter(term => term !== '')
    .every(term => {
      if (term.startsWith('!')) return !(term.slice(1) in values);
      const [, key = '', operator, value] = /^([^=!]+)(?:(==|=|!=)(.*))?$/.exec(term) ?? [];
      if (operator === undefined) return key in values;
      return (values[key] === value) === (operator !== '!=');
    });
}

function targetOf(path: string): Target | undefined {
  const [, namespace, resource, name, subresource] = (podsPath.exec(path) ?? []).map(
    part => part && decodeURIComponent(part),
  );
  if (namespace === undefined || resource === undefined) return undefined;
  return {
    namespace,
    resource,
    ...(name !== undefined && { name }),
    ...(subresource !== undefined && { subresource }),
  };
}

function isTrue(value: string | undefined): boolean {
  return value === 'true' || value === '1';
}
