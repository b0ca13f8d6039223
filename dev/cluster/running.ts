import { connect } from 'node:net';
import { join } from 'node:path';
import { Readiness } from './api.ts';
import { commandOf, type Part } from './parts.ts';
import type { Places } from './places.ts';
import { end, isRunning, startDetached, until } from './process.ts';
import { bootId, forgetPart, type OneNodeRecord, readPart, readRecord, writePart } from './record.ts';

/** The parts of a one-node cluster as they run: which do, starting and ending one, and whether together they take pods. */

export function oneNodeRecord(places: Places): OneNodeRecord | undefined {
  const record = readRecord(places);
  return record?.provider === 'one-node' ? record : undefined;
}

export function startPart(places: Places, record: OneNodeRecord, part: Part): void {
  if (runs(places, part)) return;
  const command = commandOf(part, places, record.binaries, record.network.ports, record.options);
  writePart(places, part, startDetached(command, record.cgroupProcs, join(places.log, `${part}.log`)));
}

export async function endPart(places: Places, part: Part, signal: NodeJS.Signals): Promise<void> {
  const identity = readPart(places, part);
  if (identity === undefined || !runs(places, part)) return;
  if (await end(identity, signal, 90)) return forgetPart(places, part);
  throw new Error(`${part} of cluster ${places.name} did not end within 90 s of ${signal}.`);
}

export function runs(places: Places, part: Part): boolean {
  const identity = readPart(places, part);
  return identity !== undefined && oneNodeRecord(places)?.bootId === bootId() && isRunning(identity);
}

/** The node object still says Ready for a while after its kubelet has gone, so the kubelet and containerd are asked too. */
export async function becomesReady(places: Places, record: OneNodeRecord, timeoutSeconds: number): Promise<boolean> {
  const { ports } = record.network;
  const readiness = new Readiness(places, ports.apiServer);
  const isReady = async (): Promise<boolean> =>
    (await isListening({ path: places.containerdSocket })) &&
    (await isListening({ port: ports.kubelet, host: '127.0.0.1' })) &&
    (await readiness.ofApiServer()) &&
    (await readiness.ofNode()) &&
    (await readiness.ofDefaultNamespace());
  try {
    return await until(isReady, timeoutSeconds);
  } finally {
    readiness.close();
  }
}

export function isListening(address: { path: string } | { port: number; host: string }): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(address, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
