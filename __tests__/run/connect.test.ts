import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type FakeApiServer, startFakeApiServer } from '../support/fake-api-server.ts';
import { runStep } from '../support/step-runner.ts';

let server: FakeApiServer;
beforeEach(async () => {
  server = await startFakeApiServer({ tls: {}, autoplay: pod => void pod.run().write('hello').finish() });
});
afterEach(() => server.close());

const linesOf = (text: string) => text.split('\n').filter(line => line.startsWith('Cluster '));

test('one line says which cluster, context, user and namespace, before anything else', async () => {
  const { text } = await runStep({ inputs: { image: 'busybox', kubeconfig: server.kubeconfig, namespace: 'default' } });
  expect(linesOf(text)).toEqual([
    `Cluster fake (${server.url}), context fake of kubeconfig, user fake, namespace default.`,
  ]);
  expect(text.indexOf('Cluster ')).toBeLessThan(text.indexOf('Running busybox'));
});

test('names in a kubeconfig are text, whatever they look like', async () => {
  const kubeconfig = server.kubeconfig.replaceAll(/(name|user|cluster|context): fake/g, '$1: "::error::x"');
  const step = await runStep({ inputs: { image: 'busybox', kubeconfig } });
  expect(step.annotations).toEqual([]);
  expect(linesOf(step.text)[0]).toContain('user ::error::x, ');
});

test('a server that is not verified is warned of', async () => {
  const kubeconfig = server.kubeconfig.replace(/certificate-authority-data: .*/, 'insecure-skip-tls-verify: true');
  const step = await runStep({ inputs: { image: 'busybox', kubeconfig } });
  expect(step.annotations.map(({ level, title, message }) => [level, title, message])).toEqual([
    [
      'warning',
      'Server not verified',
      'context fake of kubeconfig: insecure-skip-tls-verify is set for cluster fake, so whoever stands between the runner and the API server can read and change all that passes, the credentials among it. Give the cluster its authority instead (certificate-authority-data).',
    ],
  ]);
  expect(step.outputs).toMatchObject({ state: 'succeeded' });
});

test('credentials that are not sent are warned of', async () => {
  const kubeconfig = server.kubeconfig.replace(server.url, 'http://no-such-host.invalid:8080');
  const step = await runStep({ inputs: { image: 'busybox', kubeconfig, outage_timeout_seconds: '1' } });
  expect(step.annotations.map(({ level, title }) => [level, title])).toEqual([
    ['warning', 'No credentials sent'],
    ['error', 'The API server is out of reach'],
  ]);
});
