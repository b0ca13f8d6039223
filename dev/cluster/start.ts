import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readiness } from './api.ts';
import { createCgroup, killCgroup } from './cgroups.ts';
import type { Options } from './cluster.ts';
import { program, run } from './command.ts';
import { writeConfiguration } from './configuration.ts';
import { claimNetwork } from './network.ts';
import { type Part, partNames } from './parts.ts';
import { createPki } from './pki.ts';
import type { Places } from './places.ts';
import { until } from './process.ts';
import { bootId, type OneNodeRecord, readPart, writeRecord } from './record.ts';
import { becomesReady, isListening, runs, startPart } from './running.ts';

const startTimeoutSeconds = 60;

/** What a one-node cluster is made from, whatever its name. */
export interface Material {
  /** The folder with the built parts. */
  binaries: string;
  /** The archive with the test images. */
  images: string;
  options: Options;
}

/** Starts a cluster where nothing of it is. One that fails to start is killed; its files stay for who looks into the failure. */
export async function startAll(places: Places, material: Material): Promise<OneNodeRecord> {
  for (const folder of [places.state, places.run]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  mkdirSync(places.log);
  try {
    const cgroupProcs = createCgroup(places.cgroup);
    const network = await claimNetwork(places.bridge);
    const record: OneNodeRecord = {
      ...material,
      ...{ provider: 'one-node', bootId: bootId(), complete: false, network, cgroupProcs },
    };
    writeRecord(places, record);
    await allOf([startRuntime(places, record), startControlPlane(places, record)]);
    startPart(places, record, 'kubelet');
    await holds(places, () => becomesReady(places, record, 0), 'The node');
    const complete = { ...record, complete: true };
    writeRecord(places, complete);
    return complete;
  } catch (error) {
    await killCgroup(places.cgroup);
    throw error;
  }
}

/** Unlike Promise.all, no branch is left at work when another has failed: it would start a part after all were killed. */
async function allOf(branches: Promise<void>[]): Promise<void> {
  await Promise.allSettled(branches);
  await Promise.all(branches);
}

async function startRuntime(places: Places, record: OneNodeRecord): Promise<void> {
  await writeConfiguration(places, record.network, record.options);
  startPart(places, record, 'containerd');
  await holds(places, () => isListening({ path: places.containerdSocket }), 'containerd');
  await importImages(places, record.images);
}

/** What each waits for is what it does not survive the lack of, or would come back to after a pause that grows. */
async function startControlPlane(places: Places, record: OneNodeRecord): Promise<void> {
  const { ports } = record.network;
  startPart(places, record, 'etcd');
  await allOf([
    createPki(places, ports.apiServer),
    holds(places, () => isListening({ port: ports.etcdClient, host: '127.0.0.1' }), 'etcd'),
  ]);
  startPart(places, record, 'kube-apiserver');
  const readiness = new Readiness(places, ports.apiServer);
  try {
    await holds(places, () => readiness.ofApiServer(), 'The API server');
  } finally {
    readiness.close();
  }
  startPart(places, record, 'kube-controller-manager');
  startPart(places, record, 'kube-scheduler');
}

export async function importImages(places: Places, archive: string): Promise<void> {
  const containerd = ['--address', places.containerdSocket, '--namespace', 'k8s.io'];
  await run(program('ctr'), [...containerd, 'images', 'import', archive]);
}

/** Waits while the cluster starts; a part that ends meanwhile will not come back, so that is an error at once. */
async function holds(places: Places, condition: () => Promise<boolean>, what: string): Promise<void> {
  const inTime = await until(async () => {
    for (const part of partNames) {
      if (readPart(places, part) && !runs(places, part))
        throw new Error(`${part} ended as it started. ${lastWords(places, part)}`);
    }
    return await condition();
  }, startTimeoutSeconds);
  if (!inTime) throw new Error(`${what} is not ready after ${startTimeoutSeconds} s; the logs are in ${places.log}.`);
}

function lastWords(places: Places, part: Part): string {
  const path = join(places.log, `${part}.log`);
  return `The end of ${path}:\n${readFileSync(path, 'utf8').trim().split('\n').slice(-10).join('\n')}`;
}
