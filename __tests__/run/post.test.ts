import { afterEach, expect, test } from '@jest/globals';
import { type FakeApiServer, type FaultAction, replies, startFakeApiServer } from '../support/fake-api-server.ts';
import type { RunningStep, StepResult } from '../support/step-runner.ts';
import { expectClean, start } from './step.ts';

let server: FakeApiServer;
let step: RunningStep;
afterEach(async () => {
  await step.dispose();
  await server.close();
});

const fixedName = { name: 'p', random_name_suffix: 'false' };
const deletes = () => server.matching({ verb: 'delete' });

async function post(): Promise<StepResult> {
  const result = await step.runPost();
  expectClean(result);
  expect(result).toMatchObject({ exitCode: 0, conclusion: 'success' });
  return result;
}

test('a step that was killed while its pod ran: post deletes the pod', async () => {
  server = await startFakeApiServer();
  step = start(server);
  const pod = (await server.pod()).run().write('hello');
  await step.line('hello');
  await step.kill();
  expect(pod.object.metadata.deletionTimestamp).toBeUndefined();
  expect((await post()).text).toContain(`Deleted pod default/${pod.name}, which the main step had left behind.`);
  expect(deletes().map(({ body }) => body)).toEqual([
    expect.objectContaining({ preconditions: { uid: pod.object.metadata.uid } }),
  ]);
  expect(pod.removed).toBe(true);
});

test.each<[string, FaultAction]>([
  ['before the answer to its create', { kind: 'quiet', afterBytes: 0 }],
  ['in the middle of the answer to its create', { kind: 'quiet', afterBytes: 100 }],
])('a step that was killed %s: post finds the pod by its name and mark', async (_, action) => {
  server = await startFakeApiServer();
  server.fault({ match: { verb: 'create' }, action });
  step = start(server);
  const pod = await server.pod();
  await step.kill();
  expect((await post()).text).toContain('Deleted pod');
  expect(pod.removed).toBe(true);
});

test('a step that was killed before its create was carried out: post is quiet', async () => {
  server = await startFakeApiServer();
  server.fault({ match: { verb: 'create' }, action: { kind: 'hang' } });
  step = start(server);
  await server.request({ verb: 'create' });
  await step.kill();
  expect((await post()).text).not.toContain('Deleted');
  expect(deletes()).toEqual([]);
});

test('somebody else’s pod of that name is left alone', async () => {
  server = await startFakeApiServer();
  server.fault({ match: { verb: 'create' }, action: { kind: 'hang' } });
  step = start(server, fixedName);
  await server.request({ verb: 'create' });
  await step.kill();
  const foreign = server
    .addPod({
      metadata: { name: 'p', annotations: { 'kubernetes-pod-step/nonce': 'another' } },
      spec: { containers: [{ name: 'base' }] },
    })
    .run();
  expect((await post()).text).not.toContain('Deleted');
  expect(deletes()).toEqual([]);
  expect(foreign.removed).toBe(false);
});

test('somebody else’s pod that takes the name while post looks is left alone', async () => {
  server = await startFakeApiServer();
  step = start(server, fixedName);
  const pod = (await server.pod()).run().write('x');
  await step.line('x');
  await step.kill();
  server.fault({ match: { verb: 'delete' }, action: { kind: 'delay', ms: 50 } });
  const posting = post();
  await server.request({ verb: 'delete' });
  pod.remove();
  const foreign = server.addPod({ metadata: { name: 'p' }, spec: { containers: [{ name: 'base' }] } }).run();
  await posting;
  expect(foreign.object.metadata.deletionTimestamp).toBeUndefined();
});

test('a pod that is gone by then is no matter', async () => {
  server = await startFakeApiServer();
  step = start(server);
  const pod = (await server.pod()).run().write('x');
  await step.line('x');
  await step.kill();
  pod.remove();
  expect((await post()).text).not.toContain('Deleted');
});

test('a server that stumbles is borne', async () => {
  server = await startFakeApiServer();
  step = start(server);
  const pod = (await server.pod()).run().write('x');
  await step.line('x');
  await step.kill();
  server.fault({ match: { verb: 'get' }, action: { kind: 'reset' } });
  server.fault({ match: { verb: 'get' }, action: { kind: 'answer', reply: replies.unavailable() } });
  server.fault({ match: { verb: 'delete' }, action: { kind: 'loseAnswer' } });
  await post();
  expect(pod.object.metadata.deletionTimestamp).toBeDefined();
});

test('what cannot be deleted is a warning with the way to do it, never a failure', async () => {
  server = await startFakeApiServer();
  step = start(server);
  const pod = (await server.pod()).run().write('x');
  await step.line('x');
  await step.kill();
  server.fault({ match: { verb: 'delete' }, times: 9, action: { kind: 'answer', reply: replies.forbidden('delete') } });
  const { annotations } = await post();
  expect(annotations).toMatchObject([
    {
      level: 'warning',
      title: 'Pod not deleted',
      message: expect.stringContaining(`kubectl -n default delete pod ${pod.name}`),
    },
  ]);
});

test('what main could not delete, post does', async () => {
  server = await startFakeApiServer({ autoplay: pod => void pod.run().finish() });
  const fault = server.fault({
    match: { verb: 'delete' },
    times: 9,
    action: { kind: 'answer', reply: replies.forbidden('delete') },
  });
  step = start(server);
  const main = await step.done;
  expectClean(main);
  expect(main.outputs).toMatchObject({ state: 'succeeded' });
  expect(main.annotations).toMatchObject([{ level: 'warning', title: 'Pod not deleted' }]);
  fault.clear();
  expect((await post()).text).toContain('Deleted pod');
  expect(server.pods[0]?.removed).toBe(true);
});

test('a pod that is to be kept is kept, by post too', async () => {
  server = await startFakeApiServer({ autoplay: pod => void pod.run().finish({ exitCode: 1 }) });
  step = start(server, { on_finish_action: 'delete_succeeded_pod' });
  const main = await step.done;
  expect(main.text).toContain('is kept (on_finish_action: delete_succeeded_pod).');
  expect(await post()).toMatchObject({ text: '', lines: [] });
  expect(deletes()).toEqual([]);
});
