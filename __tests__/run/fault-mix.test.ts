import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { JobLog } from '../../src/github/commands.ts';
import { placed } from '../../src/pod/manifest.ts';
import { prepare } from '../../src/run/prepare.ts';
import { runPod } from '../../src/run/run.ts';
import { connectTo, noSignal, shortPauses } from '../kubernetes/connected.ts';
import {
  type FakeApiServer,
  type FakePod,
  type FaultAction,
  type RecordedRequest,
  replies,
  startFakeApiServer,
} from '../support/fake-api-server.ts';
import { formatTime } from '../support/fake-clock.ts';

/** `SEED=n FAULT_RUNS=1` repeats run n, as far as time allows; FAULT_RUNS alone makes more or fewer. */
const RUNS = Number(process.env['FAULT_RUNS'] ?? 40);
const FIRST_SEED = Number(process.env['SEED'] ?? 1);
const AT_ONCE = 8;

beforeEach(shortPauses);
afterEach(() => void jest.restoreAllMocks());

/** mulberry32, by Tommy Ettinger, public domain. */
class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** 0 to 1. */
  roll(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }

  /** 0 to `most`. */
  upTo(most: number): number {
    return Math.floor(this.roll() * (most + 1));
  }

  one<T>(list: readonly T[]): T {
    return list[this.upTo(list.length - 1)] as T;
  }
}

/** @param finalNewline whether the container's last line ends; the kubelet's own text behind one that does not cannot be told from it */
function fault(dice: Dice, { verb, query }: RecordedRequest, finalNewline: boolean): FaultAction | undefined {
  if (dice.roll() > 0.3) return undefined;
  const answer = (reply: ReturnType<typeof replies.unavailable>): FaultAction => ({ kind: 'answer', reply });
  const afterBytes = 1 + dice.upTo(dice.one([60, 600, 6000]));
  const anywhere: FaultAction[] = [
    { kind: 'reset' },
    { kind: 'reset', afterBytes },
    { kind: 'cleanEnd', afterBytes },
    { kind: 'delay', ms: dice.upTo(20) },
    answer(replies.tooManyRequests(0.01)),
    answer(replies.unavailable()),
    answer(replies.internalError('etcdserver: request timed out')),
  ];
  switch (verb) {
    case 'create':
    case 'delete':
      return dice.one([...anywhere, { kind: 'loseAnswer' }, { kind: 'loseAnswer' }]);
    case 'watch':
      return dice.one([...anywhere, { kind: 'expired' }]);
    case 'log': {
      const appended: FaultAction[] = [
        { kind: 'append', text: 'rpc error: code = NotFound', afterBytes },
        { kind: 'append', text: 'unable to retrieve container logs for containerd://1' },
      ];
      const always = [
        ...anywhere,
        ...(finalNewline ? appended : []),
        answer(replies.logNotFound('p')),
        answer(replies.kubeletDown('default', 'p', 'base')),
      ];
      if (query['follow'] !== 'true') return dice.one(always);
      return dice.one<FaultAction>([
        ...always,
        { kind: 'quiet', afterBytes },
        answer({ code: 204 }),
        answer(replies.badRequest('container "base" in pod "p" is waiting to start: ContainerCreating')),
      ]);
    }
    default:
      return dice.one(anywhere);
  }
}

interface Lived {
  /** What the container wrote. */
  text: string;
  exitCode: number;
  result: string | undefined;
}

/** A pod's life, with trouble on the way. */
async function live(dice: Dice, server: FakeApiServer, pod: FakePod, finalNewline: boolean): Promise<Lived> {
  const wait = async () => {
    if (dice.roll() < 0.5) await new Promise(resolve => setTimeout(resolve, dice.upTo(8)));
  };
  let text = '';
  if (dice.roll() < 0.3) pod.unschedulable();
  await wait();
  pod.schedule();
  await wait();
  pod.run();
  for (let lines = dice.upTo(40); lines > 0; lines--) {
    const now = server.clock.tick(dice.one([0, 0, 0, 1, 90, 700, 1300]));
    const at = formatTime(now - BigInt(dice.one([0, 0, 1, 90_000])));
    const line = dice.one([
      '',
      'x',
      'x',
      `line ${lines}`,
      'long '.repeat(dice.upTo(4000)),
      '\u00e4 \ud83c\udf89'.repeat(9),
    ]);
    if (line.length > 9000) {
      pod.writePart(line.slice(0, 9000), { at });
      pod.write(line.slice(9000), { at: formatTime(server.clock.tick(dice.one([0, 1500]))) });
    } else pod.write(line, { at });
    text += `${line}\n`;
    const trouble = dice.roll();
    if (trouble < 0.05) server.cutStreams();
    else if (trouble < 0.1) server.endStreams({ verb: dice.one(['watch', 'log'] as const) });
    else if (trouble < 0.13) server.expireWatches();
    else if (trouble < 0.16) server.bookmark();
    else if (trouble < 0.18) {
      await server.refuse();
      await wait();
      await server.accept();
    }
    await wait();
  }
  if (!finalNewline) {
    pod.write('no newline', { newline: false });
    text += 'no newline';
  }
  const exitCode = dice.one([0, 0, 1, 137]);
  const result = dice.roll() < 0.5 ? `{"n":${dice.upTo(99)}}` : undefined;
  pod.finish({ exitCode, ...(result !== undefined && { message: result }) });
  return { text, exitCode, result };
}

/** What the step printed, the container's text apart from the rest; stdout is the test's. */
class CapturedLog extends JobLog {
  container = '';
  readonly lines: string[] = [];
  readonly annotations: string[] = [];

  override line(text: string): void {
    this.lines.push(text);
  }
  override output(text: string): void {
    this.container += text;
  }
  override error(title: string, message: string): void {
    this.annotations.push(`${title}: ${message}`);
  }
  override warning(title: string, message: string): void {
    this.error(title, message);
  }
  override mask(): void {}
}

async function runOne(seed: number): Promise<void> {
  const dice = new Dice(seed);
  const finalNewline = dice.roll() < 0.7;
  let lived: Promise<Lived> | undefined;
  const server = await startFakeApiServer({
    nodeZone: dice.one(['Z', '+05:30', '-08:00']),
    faultSource: request => fault(dice, request, finalNewline),
    autoplay: async pod => {
      lived = live(dice, server, pod, finalNewline);
      await lived;
    },
  });
  const { client } = connectTo(server);
  const log = new CapturedLog();
  try {
    const env = { INPUT_IMAGE: 'busybox', INPUT_KUBECONFIG: server.kubeconfig };
    const { inputs, plan } = await prepare(env, noSignal());
    const conclusion = await runPod({ inputs, plan: placed(plan, 'default'), client, log, stop: noSignal() });
    const { text, exitCode, result } = (await lived) ?? { text: '', exitCode: -1, result: undefined };
    expect({ ...conclusion, text: log.container, annotations: log.annotations }).toMatchObject({
      state: exitCode === 0 ? 'succeeded' : 'failed',
      ended: { exitCode },
      text,
      annotations: [],
    });
    expect(conclusion.result).toBe(result);
    expect(server.pods.map(pod => pod.object.metadata.deletionTimestamp !== undefined)).toEqual([true]);
  } catch (error) {
    const requests = server.requests.map(({ verb, query, code }) => `${verb} ${query['follow'] ?? ''} ${code ?? '-'}`);
    throw new Error(`Run with SEED=${seed} failed: ${(error as Error).message}\n${requests.join('\n')}`);
  } finally {
    await client.close();
    await server.close();
  }
}

test(
  `${RUNS} pods with faults of all kinds, SEED=${FIRST_SEED}: the outcome is right, and the log what the container wrote`,
  async () => {
    let next = 0;
    const worker = async () => {
      while (next < RUNS) await runOne(FIRST_SEED + next++);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  },
  30_000 + 2000 * RUNS,
);
