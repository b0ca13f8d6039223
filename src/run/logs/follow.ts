import type { V1ContainerStateTerminated } from '@kubernetes/client-node';
import type { ApiClient } from '../../kubernetes/client.ts';
import { containerEnded, type Instance, instancesOf, willRestart } from '../containers.ts';
import type { ObservedPod, PodView } from '../observe.ts';
import { LogAssembler } from './assembler.ts';
import { InstanceFollower } from './instance.ts';
import { type FollowOptions, InstanceLog, type InstanceReader } from './instance-log.ts';

/** Where a container's log goes, and what is to be known of it. */
export interface LogReader extends InstanceReader {
  /** Another run of the container begins, after one that ended so; so many runs in between were never seen. */
  restarted(before: V1ContainerStateTerminated | undefined, restarts: number, unseen: number): void;
}

/**
 * Follows one container's log from its first line to its last, whatever breaks on the way, through all its restarts.
 * The end of a stream decides nothing: the container's state does. Once it has ended, the tail is read until two readings agree, for one alone proves nothing: a kubelet killed in mid-read ends it cleanly [measured].
 */
export async function followLog(
  client: ApiClient,
  pod: ObservedPod,
  container: string,
  reader: LogReader,
  options: FollowOptions,
): Promise<void> {
  const log = new LogAssembler(reader);
  let before: Instance | undefined;
  for (;;) {
    const instance = await nextInstance(pod, container, before, options);
    if (instance === undefined) return;
    if (before !== undefined) {
      log.nextInstance();
      const ended = endOf(pod.view, container, before);
      reader.restarted(ended, instance.restarts, instance.restarts - before.restarts - 1);
    }
    const own = new InstanceLog(client, pod, container, instance, log, reader, options);
    await new InstanceFollower(client, own, reader, options.signal).follow();
    before = { ...instance, ended: endOf(pod.view, container, instance) };
  }
}

/** @returns the container's next run, or `undefined` when there will be none: the node refused the pod, it was deleted in time, or the last run has been read. */
function nextInstance(
  pod: ObservedPod,
  container: string,
  before: Instance | undefined,
  { signal, lastCall }: FollowOptions,
): Promise<Instance | undefined> {
  const decide = (view: PodView): { instance: Instance | undefined } | undefined => {
    const known = instancesOf(view.pod, container);
    const instance = known[known.findIndex(({ id }) => id === before?.id) + 1];
    if (instance !== undefined) return { instance };
    const ended = before && endOf(view, container, before);
    const last = ended !== undefined && !willRestart(view.pod, container, ended);
    const over = view.gone || last || (before === undefined && containerEnded(view.pod, container));
    return over || lastCall?.aborted ? { instance: undefined } : undefined;
  };
  return pod.until(decide, signal, lastCall).then(({ instance }) => instance);
}

function endOf({ pod }: PodView, container: string, { id, ended }: Instance): V1ContainerStateTerminated | undefined {
  return instancesOf(pod, container).find(instance => instance.id === id)?.ended ?? ended;
}
