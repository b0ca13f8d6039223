import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { cluster, kubectl, Namespace, script } from '../support/cluster.ts';
import { Registry } from '../support/registry.ts';

/** Short in `npm test`; `npm run soak` waits as a cluster that adds a node and pulls a large image has one wait. */
const NODE_SECONDS = Number(process.env['PATIENCE_NODE_SECONDS'] ?? 6);
const PULL_SECONDS = Number(process.env['PATIENCE_PULL_SECONDS'] ?? 6);

let namespace: Namespace;
let registry: Registry;
beforeAll(async () => {
  [namespace, registry] = await Promise.all([Namespace.create(), Registry.start({ pullSeconds: PULL_SECONDS })]);
}, 60_000);
afterAll(async () => {
  registry[Symbol.dispose]();
  await namespace[Symbol.asyncDispose]();
});

// kind's node has a loopback of its own.
(cluster.provider === 'one-node' ? test : test.skip)(
  `a healthy pod that waits ${NODE_SECONDS} s for a node and ${PULL_SECONDS} s for its image passes, in few words`,
  async () => {
    const label = `patience-${randomUUID()}`;
    const step = namespace.start(
      {
        ...script('echo made it'),
        image: `${registry.host}/slow:${label}`,
        node_selector: `{${label}: ready}`,
      },
      { timeoutMs: 1000 * (NODE_SECONDS + PULL_SECONDS + 120) },
    );
    try {
      await step.line('waiting for a node', 30_000);
      await sleep(1000 * NODE_SECONDS);
      await kubectl(['label', 'node', '--all', `${label}=ready`]);
      const result = await step.done;
      expect(result.annotations).toEqual([]);
      expect(result.outputs).toMatchObject({ state: 'succeeded', exit_code: '0' });
      // The registry is slow by about as much.
      expect(result.durationMs).toBeGreaterThan(950 * (NODE_SECONDS + PULL_SECONDS));
      const lines = result.text.split('\n');
      const waiting = lines.slice(
        lines.findIndex(line => line.includes('waiting for a node')),
        lines.indexOf('made it'),
      );
      expect(waiting.filter(line => line.includes('waiting for a node'))).not.toEqual([]);
      expect(waiting.filter(line => line.startsWith('pulling image '))).not.toEqual([]);
      expect(waiting.length).toBeLessThan(15);
    } finally {
      await step.dispose();
      await kubectl(['label', 'node', '--all', `${label}-`]);
    }
  },
  1000 * (NODE_SECONDS + PULL_SECONDS + 180),
);
