import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Options } from './cluster.ts';
import type { Network } from './network.ts';
import type { Part } from './parts.ts';
import type { Places } from './places.ts';
import type { ProcessIdentity } from './process.ts';

/** What is written down about a cluster in its state folder; nothing in it is needed to clean up. */
export type ClusterRecord = { provider: 'kind' } | OneNodeRecord;

export interface OneNodeRecord {
  provider: 'one-node';
  /** Of the boot in which it was started: pids and start times of another boot mean nothing. */
  bootId: string;
  /** Set when it has been ready; a start that was killed half way never was. */
  complete: boolean;
  options: Options;
  network: Network;
  /** The folder with the built parts. */
  binaries: string;
  /** The archive of images that was imported. */
  images: string;
  /** The file that takes the pids of the parts. */
  cgroupProcs: string;
}

export function readRecord(places: Places): ClusterRecord | undefined {
  return readJson(join(places.state, 'cluster.json')) as ClusterRecord | undefined;
}

export function writeRecord(places: Places, record: ClusterRecord): void {
  writeJson(join(places.state, 'cluster.json'), record);
}

/** One file for each part: parts start at the same time, and tests restart one while others look. */
export function readPart(places: Places, part: Part): ProcessIdentity | undefined {
  return readJson(join(places.state, 'parts', `${part}.json`)) as ProcessIdentity | undefined;
}

export function writePart(places: Places, part: Part, identity: ProcessIdentity): void {
  mkdirSync(join(places.state, 'parts'), { recursive: true });
  writeJson(join(places.state, 'parts', `${part}.json`), identity);
}

/** What was stopped on purpose is not missed. */
export function forgetPart(places: Places, part: Part): void {
  rmSync(join(places.state, 'parts', `${part}.json`), { force: true });
}

export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

function readJson(path: string): unknown {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

function writeJson(path: string, value: unknown): void {
  writeFileSync(`${path}.new`, JSON.stringify(value, null, 2));
  renameSync(`${path}.new`, path);
}
