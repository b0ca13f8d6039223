import { expect } from '@jest/globals';
import { PodRecord } from '../../../src/github/state.ts';
import { placed } from '../../../src/pod/manifest.ts';
import { JobSummary } from '../../../src/run/job-summary.ts';
import { prepare } from '../../../src/run/prepare.ts';
import { runPod } from '../../../src/run/run.ts';
import { connectTo, noSignal } from '../../kubernetes/connected.ts';
import { startFakeApiServer } from '../../support/fake-api-server.ts';
import { CapturedLog } from './captured-log.ts';
import { Dice } from './dice.ts';
import { Faults } from './faults.ts';
import type { Kind } from './life.ts';

/** A run takes a second or two. */
const TOO_LONG_MS = 30_000;

/** A whole run of one kind, on a server with faults. */
export async function runOne(kind: Kind, seed: number): Promise<void> {
  const dice = new Dice(seed);
  const faults = new Faults(dice, dice.roll() < 0.7);
  const nodeZone = dice.one(['Z', '+05:30', '-08:00']);
  const living = Promise.withResolvers<void>();
  const server = await startFakeApiServer({
    nodeZone,
    faultSource: faults.source,
    autoplay: pod => void life.live(pod).then(living.resolve, living.reject),
  });
  const log = new CapturedLog();
  const life = kind({ dice, server, faults, log, nodeZone });
  const { client } = connectTo(server);
  try {
    const inputs = Object.entries({ image: 'busybox', kubeconfig: server.kubeconfig, ...life.inputs });
    const env = Object.fromEntries(inputs.map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]));
    const prepared = await prepare(env, noSignal());
    const plan = placed(prepared.plan, 'default');
    const stop = new AbortController();
    const tooLong = setTimeout(() => stop.abort(new Error('It does not end.')), TOO_LONG_MS);
    const summary = new JobSummary(log);
    const running = runPod({
      ...prepared,
      plan,
      replan: mark => placed(prepared.replan(mark), 'default'),
      client,
      log,
      summary,
      record: new PodRecord(),
      stop: stop.signal,
      lastCall: stop.signal,
    });
    const [conclusion] = await Promise.all([running, living.promise]).finally(() => clearTimeout(tooLong));
    life.check(conclusion);
    expect(server.pods.map(pod => pod.object.metadata.deletionTimestamp !== undefined || pod.removed)).toEqual([true]);
  } catch (error) {
    const requests = server.requests.map(
      ({ verb, query, code }) =>
        `${verb} ${query['container'] ?? ''} ${query['follow'] === 'true' ? 'follow' : ''} ${code ?? '-'}`,
    );
    throw new Error(
      `SEED=${seed}: ${(error as Error).stack}\n${[...requests, ...log.lines, ...log.annotations].join('\n')}`,
    );
  } finally {
    await client.close();
    await server.close();
  }
}
