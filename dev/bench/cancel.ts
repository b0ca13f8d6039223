/**
 * Measures how soon the DELETE of its pod leaves a step that is cancelled: from the runner's SIGINT until the request has come to whatever stands before the API server.
 *   node dev/bench/cancel.ts [runs, default 20] [--assert] [--name CLUSTER]
 * `--assert` fails where one takes longer than 100 ms.
 */
import { parseArgs } from 'node:util';
import { asRunner } from '../../__tests__/support/account.ts';
import { ApiRelay } from '../../__tests__/support/api-relay.ts';
import { startStep } from '../../__tests__/support/step-runner.ts';
import { down, up } from '../cluster/index.ts';
import { heading, row, say } from './table.ts';

const MOST_MS = 100;
const { values: options, positionals } = parseArgs({
  options: { assert: { type: 'boolean', default: false }, name: { type: 'string', default: 'bench' } },
  allowPositionals: true,
});
const runs = Number(positionals[0] ?? 20);

const cluster = await up({ name: options.name }, say);
const relay = await ApiRelay.start(await asRunner(cluster, 'default'));
try {
  const running: number[] = [];
  const pending: number[] = [];
  // The first pair warms the node up and is not counted.
  for (let run = 0; run <= runs; run++) {
    const now = [await measure('running'), await measure('pending')] as const;
    if (run > 0) running.push(now[0]);
    if (run > 0) pending.push(now[1]);
  }
  say(heading(`from SIGINT to the DELETE on the wire, ${runs} runs each`));
  say(row('while its container runs, ms', running, 1));
  say(row('while its pod waits for a node, ms', pending, 1));
  if (options.assert && Math.max(...running, ...pending) > MOST_MS) {
    say('too late');
    process.exitCode = 1;
  }
} finally {
  await relay[Symbol.asyncDispose]();
  if (cluster.started) await down(options.name, say);
}

/** @returns milliseconds */
async function measure(when: 'running' | 'pending'): Promise<number> {
  const inputs = {
    ...{ config_file: relay.kubeconfigFile, image: cluster.images.shell, termination_grace_period: '0' },
    ...{ cmds: '[sh, -c]', arguments: '["echo running; exec sleep 600"]' },
    ...(when === 'pending' && { node_selector: '{nowhere: to-be-found}' }),
  };
  const step = startStep({ inputs });
  try {
    await step.line(when === 'running' ? /^running$/ : 'waiting for a node', 30_000);
    const before = relay.matching({ verb: 'delete' }).length;
    const start = performance.now();
    const cancelled = step.cancel();
    const { atMs } = await relay.request({ verb: 'delete' }, { nth: before + 1 });
    await cancelled;
    return atMs - start;
  } finally {
    await step.dispose();
  }
}
