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
    await step.line('running', 30_000);
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
    await step.line('running', 30_000);
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

test('a pod that somebody else deletes fails the step, and the log up to there is shown', async () => {
  const step = namespace.start(script('trap "exit 143" TERM; echo running; while :; do sleep 0.1; done'));
  try {
    await step.line('running', 30_000);
    await namespace.kubectl(['delete', 'pod', '--all', '--wait=false']);
    const result = await step.done;
    expect(result.conclusion).toBe('failure');
    expect(result.outputs).toMatchObject({ state: 'failed', reason: 'PodDeleted' });
    expect(result.annotations[0]?.message).toMatch(/somebody or something else/);
  } finally {
    await step.dispose();
  }
}, 60_000);
