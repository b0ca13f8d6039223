import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildKubernetes } from './build.ts';
import { type Cluster, localImages, type Options, type Report } from './cluster.ts';
import { writeImages } from './images.ts';
import { hasLeftovers, removeLeftovers } from './leftovers.ts';
import { withLock } from './lock.ts';
import { type Part, partNames } from './parts.ts';
import { type Places, placesOf } from './places.ts';
import { until } from './process.ts';
import { type OneNodeRecord, readPart, writeRecord } from './record.ts';
import { installRequirements } from './requirements.ts';
import { becomesReady, endPart, oneNodeRecord, runs, startPart } from './running.ts';
import { importImages, startAll } from './start.ts';

/** A one-node Kubernetes, built from Go modules and run by root on Linux with the machine's containerd program. */

export async function up(name: string, options: Options, report: Report): Promise<Cluster> {
  const places = placesOf(name);
  return await whileAlone(places, report, async () => {
    const found = await look(places, options);
    if (found.whole) {
      await importNewImages(places, found.record, report);
      return clusterOf(places, found.record, false);
    }
    await installRequirements(report);
    const [binaries, images] = await Promise.all([buildKubernetes(report), writeImages(report)]);
    const start = performance.now();
    if (hasLeftovers(places)) {
      report(`removing what is there of cluster ${name}: ${found.lack}`);
      await removeLeftovers(places);
    }
    const record = await startAll(places, { binaries, images, options });
    report(`cluster ${name} is ready after ${seconds(start)} s`);
    return clusterOf(places, record, true);
  });
}

export async function down(name: string, report: Report): Promise<void> {
  const places = placesOf(name);
  await whileAlone(places, report, async () => {
    if (!hasLeftovers(places)) return;
    const start = performance.now();
    await removeLeftovers(places);
    report(`cluster ${name} is gone after ${seconds(start)} s`);
  });
}

/** Which parts run; undefined when there is no such cluster. */
export function partsOf(name: string): Record<Part, boolean> | undefined {
  const places = placesOf(name);
  if (oneNodeRecord(places) === undefined) return undefined;
  return Object.fromEntries(partNames.map(part => [part, runs(places, part)])) as Record<Part, boolean>;
}

/** Whether it takes pods, asked once. */
export async function isReady(name: string): Promise<boolean> {
  const places = placesOf(name);
  const record = oneNodeRecord(places);
  return (
    record?.complete === true && partNames.every(part => runs(places, part)) && (await becomesReady(places, record, 0))
  );
}

/**
 * Waits until it takes pods, and starts again what ended by itself meanwhile, as an init system would: kube-controller-manager
 * gives up when it starts while there is no API server. What was stopped on purpose stays so.
 */
export async function untilReady(name: string, timeoutSeconds: number): Promise<void> {
  const places = placesOf(name);
  const record = recordOf(places);
  const isReady = await until(async () => {
    for (const part of partNames) if (readPart(places, part)) startPart(places, record, part);
    return await becomesReady(places, record, 0);
  }, timeoutSeconds);
  if (!isReady)
    throw new Error(`Cluster ${name} is not ready after ${timeoutSeconds} s; its logs are in ${places.log}.`);
}

export function stop(name: string, part: Part, signal: NodeJS.Signals): Promise<void> {
  const places = placesOf(name);
  return whileAlone(
    places,
    () => {},
    () => endPart(places, part, signal),
  );
}

export function start(name: string, part: Part): Promise<void> {
  const places = placesOf(name);
  return whileAlone(
    places,
    () => {},
    async () => startPart(places, recordOf(places), part),
  );
}

/** Ends a part and starts it again, as one act: an `up` that comes in between waits, and finds the cluster whole. */
export function restart(name: string, part: Part, signal: NodeJS.Signals, downSeconds: number): Promise<void> {
  const places = placesOf(name);
  const quiet = (): void => {};
  return whileAlone(places, quiet, async () => {
    await endPart(places, part, signal);
    await sleep(downSeconds * 1000);
    startPart(places, recordOf(places), part);
  });
}

function whileAlone<T>(places: Places, report: Report, work: () => Promise<T>): Promise<T> {
  return withLock(places.state, () => report(`waiting for another process at work on cluster ${places.name}`), work);
}

type Found = { whole: true; record: OneNodeRecord } | { whole: false; lack: string };

/** Whether a cluster is there that will do: all parts run, it is ready, and it was started with the options asked for now, if any are. */
async function look(places: Places, options: Options): Promise<Found> {
  const record = oneNodeRecord(places);
  if (!record?.complete) return { whole: false, lack: 'its start did not come to an end' };
  const dead = partNames.filter(part => !runs(places, part));
  if (dead.length > 0) return { whole: false, lack: `not running: ${dead.join(', ')}` };
  for (const [name, value] of Object.entries(options)) {
    const differs = JSON.stringify(record.options[name as keyof Options]) !== JSON.stringify(value);
    if (value !== undefined && differs) return { whole: false, lack: `it was started with another ${name}` };
  }
  const isReady = await becomesReady(places, record, 15); // a part may just have been restarted
  return isReady ? { whole: true, record } : { whole: false, lack: 'it runs but is not ready' };
}

async function importNewImages(places: Places, record: OneNodeRecord, report: Report): Promise<void> {
  const images = await writeImages(report);
  if (images === record.images) return;
  await importImages(places, images);
  writeRecord(places, { ...record, images });
}

function recordOf(places: Places): OneNodeRecord {
  const record = oneNodeRecord(places);
  if (record) return record;
  throw new Error(
    `There is no one-node cluster ${places.name}; its parts can be stopped and started only after \`up\`.`,
  );
}

function clusterOf(places: Places, record: OneNodeRecord, started: boolean): Cluster {
  const { name, kubeconfig } = places;
  return {
    name,
    provider: 'one-node',
    kubeconfig,
    started,
    images: localImages,
    kubectl: join(record.binaries, 'kubectl'),
  };
}

function seconds(start: number): string {
  return ((performance.now() - start) / 1000).toFixed(1);
}
