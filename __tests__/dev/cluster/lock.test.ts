import { expect, test } from '@jest/globals';
import { withLock } from '../../../dev/cluster/lock.ts';

const subject = `test ${process.pid}`;

test('work on one subject is done one after the other, and who waits is told', async () => {
  const events: string[] = [];
  const work = (name: string) => async (): Promise<void> => {
    events.push(`${name} begins`);
    await new Promise(resolve => setTimeout(resolve, 50));
    events.push(`${name} ends`);
  };
  const wait = (): void => void events.push('second waits');
  const first = withLock(subject, () => {}, work('first'));
  await Promise.all([first, withLock(subject, wait, work('second'))]);
  expect(events.filter(event => event !== 'second waits')).toEqual([
    'first begins',
    'first ends',
    'second begins',
    'second ends',
  ]);
  expect(events).toContain('second waits');
});

test('work that fails frees the lock', async () => {
  const failing = withLock(
    subject,
    () => {},
    () => Promise.reject(new Error('failed')),
  );
  await expect(failing).rejects.toThrow('failed');
  await expect(
    withLock(
      subject,
      () => {},
      async () => 'done',
    ),
  ).resolves.toBe('done');
});
