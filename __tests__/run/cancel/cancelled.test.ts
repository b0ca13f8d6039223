import { expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import { StepError } from '../../../src/github/failure.ts';
import { cancelledAt } from '../../../src/run/cancel/cancelled.ts';
import { ended, gated, podWith, running, starting } from '../pods.ts';

const cancelled = new StepError('Cancelled', 'Cancelled', 'The step was cancelled (SIGINT).');
const message = (pod: V1Pod, gone = false) => (cancelledAt(cancelled, { pod, gone }, 'base') as Error).message;

test.each<[string, V1Pod, string]>([
  [
    'in its queue',
    gated(),
    'The step was cancelled (SIGINT), before container base of pod etl/p had started: held by scheduling gate kueue.x-k8s.io/admission.',
  ],
  [
    'while an image did not come',
    starting('ErrImagePull', 'i/o timeout', 'reg/x:1'),
    'The step was cancelled (SIGINT), before container base of pod etl/p had started: pulling reg/x:1 fails: i/o timeout.',
  ],
  ['while it ran', podWith(running), 'The step was cancelled (SIGINT), while container base of pod etl/p was running.'],
  ['after it had ended', podWith(ended(0)), 'The step was cancelled (SIGINT).'],
])('a step that was cancelled %s says so', (_, pod, expected) => expect(message(pod)).toBe(expected));

test('what else ended the step stays as it is', () => {
  const other = new StepError('StartTimeout', 'x', 'x');
  expect(cancelledAt(other, { pod: gated(), gone: false }, 'base')).toBe(other);
  expect(message(gated(), true)).toBe('The step was cancelled (SIGINT).');
});
