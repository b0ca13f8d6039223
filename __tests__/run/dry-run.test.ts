import { afterEach, describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { type FakeApiServer, replies, startFakeApiServer } from '../support/fake-api-server.ts';
import { runStep } from '../support/step-runner.ts';
import { run } from './step.ts';

let server: FakeApiServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const given = { dry_run: 'true', name: 'train', random_name_suffix: 'false', cmds: 'echo hi' };

describe('a dry run', () => {
  test('shows the pod with the source of each part, has it checked by the server, and creates nothing', async () => {
    server = await startFakeApiServer({ namespace: 'etl' });
    const result = await run(server, given);
    expect(result).toMatchObject({ conclusion: 'success', annotations: [] });
    expect(server.pods).toEqual([]);
    expect(server.matching({ verb: 'create' }).map(({ query }) => query)).toEqual([
      { dryRun: 'All', fieldValidation: 'Strict' },
    ]);
    expect(result.outputs).toEqual({ state: 'succeeded', manifest: expect.any(String) });
    expect(load(result.outputs['manifest'] ?? '')).toMatchObject({
      metadata: { name: 'train', namespace: 'etl' },
      spec: { containers: [{ name: 'base', image: 'busybox', command: ['echo', 'hi'] }] },
    });
    expect(result.text).toContain('image: busybox  # image');
    expect(result.text).toContain('restartPolicy: Never  # default');
    expect(result.text).toMatch(/The API server at \S+ would take it \(dryRun=All\)\. Nothing was created\./);
    expect(result.post).toMatchObject({ text: '' });
  });

  test('needs no cluster, and says that none has checked the pod', async () => {
    const result = await runStep({ inputs: { image: 'busybox', ...given }, env: { HOME: '/nowhere', KUBECONFIG: '' } });
    expect(result).toMatchObject({ conclusion: 'success', annotations: [] });
    expect(result.text).toMatch(/No API server has checked it: .*kubeconfig.* Nothing was created\./);
  });

  test('fails where the server would not take the pod', async () => {
    server = await startFakeApiServer();
    server.fault({
      match: { verb: 'create' },
      action: { kind: 'answer', reply: replies.namespaceNotFound('default') },
    });
    const result = await run(server, given);
    expect(result).toMatchObject({ conclusion: 'failure', outputs: { state: 'failed', reason: 'NamespaceNotFound' } });
    expect(result.outputs['manifest']).toContain('kind: Pod');
  });

  test('says that the server could not be asked where it answers with nothing but errors', async () => {
    server = await startFakeApiServer();
    server.fault({
      times: 1000,
      action: { kind: 'answer', reply: { code: 401, body: { kind: 'Status', code: 401 } } },
    });
    const result = await run(server, given);
    expect(result).toMatchObject({ conclusion: 'success' });
    expect(result.text).toMatch(/No API server has checked it: The API server does not accept the credentials/);
  });

  test('hides secrets, given as such or by the looks of them', async () => {
    const token = `ghp_${'x'.repeat(36)}`;
    const result = await runStep({
      inputs: { image: 'busybox', ...given, secret_env: 'PASSWORD=correct horse', env_vars: `A=${token}` },
      env: { HOME: '/nowhere', KUBECONFIG: '' },
    });
    expect(result.text).toMatch(/Secret \S+ would be created for it, immutable, with PASSWORD\./);
    for (const secret of ['correct horse', token])
      expect(JSON.stringify([result.text, result.outputs])).not.toContain(secret);
  });
});
