import type { V1Pod } from '@kubernetes/client-node';
import { type PodEvent, SAME_TIME_MS } from '../../kubernetes/events.ts';
import { brief } from '../brief.ts';
import { missingIn } from './missing.ts';
import { GRACE_SECONDS, hopeless, type Known, lacking, MORE_TIME, type Stuck } from './stuck.ts';

/** For a volume's files the kubelet looks 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s after the first time [measured]: by then without fail. */
const VOLUME_GRACE_SECONDS = 40;

/** What goes on between the scheduler and the containers shows in events alone. */
export function onTheNode(pod: V1Pod, { events = [], references }: Known): Stuck {
  const where = `starting on node ${pod.spec?.nodeName ?? ''}`;
  const news = events.findLast(({ reason }) => TELLING.has(reason));
  const says = brief(news?.message ?? '');
  if (news === undefined) return { what: where, worthTelling: false };
  const failed = unmounted(pod, events);
  const missing = failed.flatMap(({ message }) =>
    missingIn(message, references, pod, /volume "([^"]+)"/.exec(message)?.[1]),
  );
  if (missing.length > 0) {
    const lookedForSeconds = Math.max(...failed.map(({ firstMs, lastMs }) => (lastMs - firstMs) / 1000));
    return lacking(missing, pod, lookedForSeconds >= GRACE_SECONDS ? 0 : VOLUME_GRACE_SECONDS);
  }
  switch (news.reason) {
    case 'FailedCreatePodSandBox':
      return noRuntime(pod, news.message) ?? { what: `${where}: ${says}`, worthTelling: true };
    case 'Pulling': {
      const image = PULLING.exec(news.message)?.[1] ?? '';
      return { what: `pulling image ${image}`, worthTelling: true, lasting: SLOW_PULL };
    }
    case 'FailedMount':
    case 'FailedAttachVolume':
      return {
        what: `${where}: ${says}`,
        worthTelling: news.reason !== 'FailedMount' || hasRecurred(news),
        lasting: {
          reason: 'StartTimeout',
          title: 'A volume cannot be mounted',
          remedy: `See to that volume. ${MORE_TIME}`,
        },
      };
    case 'Pulled': {
      const { image, time, bytes } = PULLED.exec(news.message)?.groups ?? {};
      // One that was there already took no time.
      if (time === undefined) return { what: where, worthTelling: false };
      const size = bytes === undefined ? '' : ` (${Math.round(Number(bytes) / 1e6)} MB)`;
      return { what: `pulled image ${image} in ${time}${size}`, worthTelling: true };
    }
    default:
      return { what: `${where}: ${says}`, worthTelling: true };
  }
}

/** Events that say what a node is at, or why it does not get on. */
const TELLING = new Set([
  'FailedMount',
  'FailedAttachVolume',
  'FailedCreatePodSandBox',
  'FailedPrepareDynamicResources',
  'NetworkNotReady',
  'Pulling',
  'Pulled',
]);
/** The kubelet's words, as Kubernetes 1.36 has them. */
const PULLING = /^Pulling image "(.*)"$/s;
const PULLED =
  /^Successfully pulled image "(?<image>.*)" in (?<time>[\dhms.]+)\b.*?(?:Image size: (?<bytes>\d+) bytes)?\.?$/s;

const SLOW_PULL = {
  reason: 'StartTimeout',
  title: 'The image did not come in time',
  remedy: `The image is large, or its registry slow or not to be reached from the node. ${MORE_TIME}`,
} as const;

/** A runtime class can be there and have a handler that the node's container runtime does not know. */
function noRuntime({ spec }: V1Pod, message: string): Stuck | undefined {
  const handler = /no runtime for "([^"]*)" is configured/.exec(message)?.[1];
  if (handler === undefined) return undefined;
  return hopeless({
    reason: 'ContainerConfig',
    title: 'No such runtime on the node',
    sentence: `Node ${spec?.nodeName} has no container runtime "${handler}", which RuntimeClass ${spec?.runtimeClassName} stands for.`,
    remedy:
      'Correct `runtime_class_name`, or have its pods go to nodes that have the runtime (`node_selector`, or `scheduling` of the RuntimeClass).',
    graceSeconds: 0,
    cause: 'runtime',
  });
}

/** What a busy node could not mount once it mounts at its next look, 0.5 s later: its caches, and the authorizer's account of whose volumes it may read, come a moment after the pod [measured]. */
function hasRecurred({ count = 1, firstMs, lastMs }: PodEvent): boolean {
  return count > 1 || lastMs > firstMs;
}

/** @returns the mounts that fail as of now. A container is dealt with, and its image pulled, only after the last volume is mounted. */
function unmounted(pod: V1Pod, events: readonly PodEvent[]): PodEvent[] {
  const failed = events.filter(({ reason }) => reason === 'FailedMount');
  const latest = failed.at(-1)?.lastMs ?? 0;
  const sandbox = pod.status?.conditions?.find(({ type }) => type === 'PodReadyToStartContainers');
  const over = sandbox?.status === 'True' || events.some(event => event.container && event.lastMs >= latest);
  return over ? [] : failed.filter(({ lastMs }) => lastMs >= latest - SAME_TIME_MS);
}
