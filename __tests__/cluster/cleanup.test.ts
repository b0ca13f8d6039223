import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Namespace, script } from '../support/cluster.ts';

let namespace: Namespace;
beforeAll(async () => {
  namespace = await Namespace.create();
}, 60_000);
afterAll(() => namespace[Symbol.asyncDispose]());

test('cancelling the step deletes its pod, also one that ignores SIGTERM', async () => {
  const step = namespace.start(script('trap "" TERM; echo running; while :; do sleep 1; done'));
  try {
    await step.line(/^running$/, 30_000);
    const result = await step.cancel();
    expect(result.conclusion).toBe('cancelled');
    expect(result.signal).toBeNull();
    expect(result.outputs).toMatchObject({ state: 'cancelled', reason: 'Cancelled' });
    expect(await namespace.pods()).toEqual([]);
    expect((await step.runPost()).text).toBe('');
  } finally {
    await step.dispose();
  }
}, 60_000);

test('the post step deletes the pod of a main step that was killed', async () => {
  const step = namespace.start({ ...script('echo running; sleep 600'), on_finish_action: 'keep_pod' });
  try {
    await step.line(/^running$/, 30_000);
    await step.kill();
    expect(await namespace.pods()).toHaveLength(1);
    const post = await step.runPost();
    expect(post.conclusion).toBe('success');
    expect(post.text).toMatch(/Deleted pod \S+, which the main step had left behind\./);
    expect(await namespace.pods()).toEqual([]);
  } finally {
    await step.dispose();
  }
}, 60_000);

test.each([143, 0])(
  'a pod that somebody else deletes fails the step, though its container exits with %d',
  async exitCode => {
    const step = namespace.start(script(`trap "exit ${exitCode}" TERM; echo running; while :; do sleep 0.1; done`));
    try {
      await step.line(/^running$/, 30_000);
      await namespace.kubectl(['delete', 'pod', '--all', '--wait=false']);
      const result = await step.done;
      expect(result.conclusion).toBe('failure');
      expect(result.outputs).toMatchObject({ state: 'failed', reason: 'PodDeleted' });
      expect(result.annotations[0]?.message).toMatch(/somebody or something else/);
    } finally {
      await step.dispose();
    }
  },
  60_000,
);

test('a fixed name can be used again at once: the pod that is being deleted is waited for', async () => {
  const inputs = { ...script('echo hello'), name: 'fixed', random_name_suffix: 'false' };
  for (const time of ['first', 'second', 'third']) {
    const step = await namespace.run(inputs);
    expect([time, step.annotations, step.outputs['state']]).toEqual([time, [], 'succeeded']);
  }
});
