import type { Chunk } from './measure.ts';

/** A pod that prints numbered lines of 100 bytes, and what became of them at the other end. */

const BYTES = 100;

/** Says `ready` and waits for the file /gate/open, so that whoever follows is there before the first line; then prints as fast as it can. */
export function printerPod(name: string, image: string, lines: number, gate: string): object {
  const print = `awk 'BEGIN { for (i = 1; i <= ${lines}; i++) printf "%07d %091d\\n", i, i }'`;
  const script = `echo ready; until [ -e /gate/open ]; do sleep 0.02; done; exec ${print}`;
  const container = { name: 'base', image, command: ['sh', '-c', script] };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 0,
      containers: [{ ...container, volumeMounts: [{ name: 'gate', mountPath: '/gate', readOnly: true }] }],
      volumes: [{ name: 'gate', hostPath: { path: gate, type: 'Directory' } }],
    },
  };
}

export interface Printed {
  /** From the chunk with the first line to the chunk with the last. */
  printingSeconds: number;
  linesPerSecond: number;
  /** How many of the lines are missing. */
  lost: number;
  /** The first place where something is missing, doubled or out of order. */
  fault: string | undefined;
}

export function printedLines(stdout: Chunk[], lines: number): Printed {
  const all = Buffer.concat(stdout.map(({ bytes }) => bytes));
  // In front of a line may be kubectl's time stamp.
  const found = [...all.toString('latin1').matchAll(/^(?:\S{30} )?(\d{7}) (\d{91})$/gm)];
  const [first, last] = [timeAt(stdout, found[0]?.index ?? 0), timeAt(stdout, (found.at(-1)?.index ?? 0) + BYTES)];
  const printingSeconds = (last - first) / 1000;
  const wrong = found.findIndex(([, short, long], index) => Number(short) !== index + 1 || Number(long) !== index + 1);
  const complete = found.length === lines && wrong === -1;
  return {
    printingSeconds,
    linesPerSecond: found.length / printingSeconds,
    lost: lines - found.length,
    fault: complete ? undefined : `line ${wrong === -1 ? found.length : wrong} is followed by ${found[wrong]?.[0]}`,
  };
}

/** When the byte at this offset was read. */
function timeAt(stdout: Chunk[], offset: number): number {
  let end = 0;
  for (const { at, bytes } of stdout) {
    end += bytes.length;
    if (offset < end) return at;
  }
  return stdout.at(-1)?.at ?? 0;
}
