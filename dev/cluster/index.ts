import { existsSync } from 'node:fs';
import { type Cluster, type Images, localImages, type Options, type Provider, type Report } from './cluster.ts';
import { findProgram } from './command.ts';
import * as kind from './kind.ts';
import * as oneNode from './one-node.ts';
import type { Part } from './parts.ts';
import { placesOf } from './places.ts';
import { readRecord } from './record.ts';
import { obstacle } from './requirements.ts';

export type { Cluster, Images, Options, Part, Provider, Report };

/**
 * The test cluster, in this order: the one that `POD_STEP_TEST_KUBECONFIG` names; kind, where it and Docker are there; a one-node
 * Kubernetes of our own. Never the user's current context: tests create and delete things.
 */
export async function up(wanted: Options & { name?: string; provider?: Provider }, report: Report): Promise<Cluster> {
  const { name = 'default', provider, ...options } = wanted;
  switch (provider ?? (await chooseProvider(name))) {
    case 'named':
      return namedCluster(name);
    case 'kind':
      return await kind.up(name, report);
    case 'one-node':
      return await oneNode.up(name, options, report);
  }
}

/** Takes a cluster of ours away with all it left; quiet where there is none. A named cluster is the user's and stays. */
export async function down(name: string, report: Report): Promise<void> {
  const named = process.env['POD_STEP_TEST_KUBECONFIG'];
  if (named) return report(`POD_STEP_TEST_KUBECONFIG names the cluster of ${named}: it is yours and stays as it is`);
  if (readRecord(placesOf(name))?.provider === 'kind') return await kind.down(name, report);
  if (process.platform === 'linux') await oneNode.down(name, report);
}

export interface Status {
  name: string;
  state: 'up' | 'down' | 'broken';
  /** Undefined when the cluster is down: what it will be is decided when it comes up. */
  cluster: Cluster | undefined;
  /** Which parts of a one-node cluster run. */
  parts: Record<Part, boolean> | undefined;
}

/** What there is of a cluster, without changing anything. */
export async function status(name: string): Promise<Status> {
  if (process.env['POD_STEP_TEST_KUBECONFIG'])
    return { name, state: 'up', cluster: namedCluster(name), parts: undefined };
  const places = placesOf(name);
  const record = readRecord(places);
  if (record === undefined) return { name, state: 'down', cluster: undefined, parts: undefined };
  const isUp = record.provider === 'kind' ? await kind.isUp(name) : await oneNode.isReady(name);
  const kubectl = record.provider === 'kind' ? findProgram('kubectl') : `${record.binaries}/kubectl`;
  const { provider } = record;
  const cluster = { name, provider, kubeconfig: places.kubeconfig, started: false, images: localImages, kubectl };
  return { name, state: isUp ? 'up' : 'broken', cluster, parts: oneNode.partsOf(name) };
}

/**
 * Ends a part of a one-node cluster, by default without warning, and starts it again; does not wait until it is ready.
 * SIGTERM makes kube-apiserver close its port at once and end up to a minute later, when the requests it has are over.
 */
export async function restart(name: string, part: Part, how: Restart = {}): Promise<void> {
  await oneNode.restart(name, part, how.signal ?? 'SIGKILL', how.downSeconds ?? 0.3);
}

export interface Restart {
  signal?: NodeJS.Signals;
  /** From the end of the old process to the start of the new one. */
  downSeconds?: number;
}

/** Ends a part of a one-node cluster and returns when it is gone. */
export async function stop(name: string, part: Part, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  await oneNode.stop(name, part, signal);
}

/** Starts a part of a one-node cluster that was stopped; does not wait until it is ready. */
export async function start(name: string, part: Part): Promise<void> {
  await oneNode.start(name, part);
}

/** Waits until a one-node cluster takes pods, e.g. after a restart. Starts again a part that ended by itself. */
export async function untilReady(name: string, timeoutSeconds = 60): Promise<void> {
  await oneNode.untilReady(name, timeoutSeconds);
}

async function chooseProvider(name: string): Promise<Provider> {
  if (process.env['POD_STEP_TEST_KUBECONFIG']) return 'named';
  const existing = readRecord(placesOf(name))?.provider;
  if (existing) return existing;
  if (await kind.isPossible()) return 'kind';
  const reason = obstacle();
  if (reason !== undefined) throw new Error(reason);
  return 'one-node';
}

/** The images must be in the named cluster already, or be named by these variables. */
function namedCluster(name: string): Cluster {
  const kubeconfig = process.env['POD_STEP_TEST_KUBECONFIG'] ?? '';
  if (!existsSync(kubeconfig)) throw new Error(`POD_STEP_TEST_KUBECONFIG: there is no file ${kubeconfig}.`);
  const images: Images = {
    shell: process.env['POD_STEP_TEST_IMAGE_SHELL'] || localImages.shell,
    noShell: process.env['POD_STEP_TEST_IMAGE_NO_SHELL'] || localImages.noShell,
    nonRoot: process.env['POD_STEP_TEST_IMAGE_NON_ROOT'] || localImages.nonRoot,
    git: process.env['POD_STEP_TEST_IMAGE_GIT'] || localImages.git,
  };
  return { name, provider: 'named', kubeconfig, started: false, images, kubectl: findProgram('kubectl') };
}
