import { afterEach, describe, expect, test } from '@jest/globals';
import { type FakeApiServer, type FakePod, startFakeApiServer } from '../support/fake-api-server.ts';
import { run } from './step.ts';

let server: FakeApiServer;
afterEach(() => server.close());

const hello = (pod: FakePod) => void pod.run().write('hello', { container: 'base' }).finish();
const given = { workspace: 'checkout', github_token: 'ghs_0123456789', name: 'job' };
const asked = () =>
  server.requests
    .filter(({ path }) => /\/secrets(\/|$)/.test(path))
    .map(({ method, path }) => `${method} ${path.replace(/^.*\/secrets/, '')}`);

describe('the job’s token', () => {
  test('is taken from the pod once the checkout has ended', async () => {
    server = await startFakeApiServer({ autoplay: hello });
    const result = await run(server, given);
    expect(result).toMatchObject({ conclusion: 'success', annotations: [] });
    expect(asked()).toEqual(['POST ', expect.stringMatching(/^DELETE \/job-\S+-token-\w+$/)]);
    expect(result.text).toMatch(/^Checked out octo\/repo at ffac537e6cbb.*\.$/m);
  });

  test('is taken from it where the checkout has failed, too', async () => {
    server = await startFakeApiServer({
      autoplay: pod =>
        void pod.run('pod-step-checkout').terminate({
          exitCode: 71,
          message: 'The server does not give octo/repo: fatal: no',
          container: 'pod-step-checkout',
        }),
    });
    const result = await run(server, given);
    expect(result.annotations.map(({ message }) => message)).toEqual([
      expect.stringMatching(
        /^The repository could not be checked out in pod default\/\S+ \(exit code 71\): The server does not give octo\/repo: fatal: no\. Give the job `permissions: contents: read`/,
      ),
    ]);
    expect(asked()).toEqual(['POST ', expect.stringMatching(/^DELETE /)]);
  });

  test('goes with the pod where it may not be deleted, with a warning', async () => {
    server = await startFakeApiServer({ autoplay: hello });
    const message =
      'secrets "x" is forbidden: User "robot" cannot delete resource "secrets" in API group "" in the namespace "default"';
    const body = { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 403, reason: 'Forbidden', message };
    const reply = { code: 403, body };
    server.fault({ match: { method: 'DELETE', path: /secrets/ }, action: { kind: 'answer', reply } });
    const result = await run(server, given);
    expect(result.conclusion).toBe('success');
    expect(result.annotations.map(({ level, message }) => `${level}: ${message}`)).toEqual([
      expect.stringMatching(
        /^warning: Secret default\/\S+ has the job's token, which the pod needs no more, and could not be deleted: robot may not delete secrets in namespace default\. It goes with the pod\.$/,
      ),
    ]);
  });
});

test('what is public is checked out without a Secret', async () => {
  server = await startFakeApiServer({ autoplay: hello });
  const result = await run(server, { ...given, github_token: '' });
  expect(result).toMatchObject({ conclusion: 'success', annotations: [] });
  expect(asked()).toEqual([]);
});
