import { createServer } from 'node:net';
import { expect, test } from '@jest/globals';
import { runStep } from '../support/step-runner.ts';

test('a server that nobody answers for is waited for a minute, and then named', async () => {
  const kubeconfig = JSON.stringify({
    clusters: [{ name: 'c', cluster: { server: `https://127.0.0.1:${await freePort()}` } }],
    users: [{ name: 'u', user: { token: 'a-token' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  });
  const step = await runStep({ inputs: { image: 'busybox', kubeconfig }, timeoutMs: 90_000 });
  expect(step.exitCode).toBe(1);
  expect(step.annotations.map(({ message }) => message)).toEqual([
    expect.stringMatching(
      /^The API server at https:\/\/127\.0\.0\.1:\d+ did not answer within 6\d s: connection refused\. Check the server’s address in the kubeconfig/,
    ),
  ]);
  expect(step.text.match(/is away \(connection refused\); waiting for it for up to 60 s/g)).toHaveLength(1);
  expect(step.durationMs).toBeGreaterThan(55_000);
}, 120_000);

/** A port that was free a moment ago, and that nobody is given at random. */
function freePort(): Promise<number> {
  return new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
