import type { Reason } from '../github/failure.ts';
import type { End } from './attempts/tries.ts';
import { diagnosed } from './end/diagnose.ts';
import { outcomeOf } from './end/outcome.ts';
import { startedWithFiles } from './files/files.ts';
import { holdPod } from './hold-pod.ts';
import type { ObservedPod } from './observe.ts';
import { createSecrets } from './own-secrets.ts';
import { type Conclusion, conclude } from './result/conclusion.ts';
import type { Step } from './run.ts';

/** Leaves the pod to run, for a later step to attach to: at once, or when its container has started. */
export async function deferPod(step: Step, pod: ObservedPod): Promise<End> {
  return holdPod(step, pod, {
    run: async () => {
      await createSecrets(step, pod);
      if (step.inputs.deferrable !== 'started' && !needsUs(step)) return { state: 'deferred' };
      await startedWithFiles(step, pod);
      return (await failedToStart(step, pod)) ?? { state: 'deferred' };
    },
  });
}

/** Whether a pod that was left at once would wait for its files for ever, or be left with the job's token. */
function needsUs({ inputs, plan }: Step): boolean {
  return inputs.files.workspace?.source === 'upload' || plan.secrets.some(({ isPassing }) => isPassing);
}

/** Ends of a container that has not done anything by itself. */
const NO_START: readonly (Reason | undefined)[] = ['StartError', 'FailedPostStartHook'];

/** @returns the failure of a pod that has ended without its container having started; how one ends that has is for who attaches to it. */
async function failedToStart(step: Step, pod: ObservedPod): Promise<Conclusion | undefined> {
  const outcome = outcomeOf(pod.view, step.plan.base);
  if (outcome?.state !== 'failed') return undefined;
  const conclusion = conclude(
    await diagnosed(outcome, pod, step),
    { kind: 'none' },
    pod.view.pod,
    step.plan,
    step.inputs,
  );
  return outcome.ended === undefined || NO_START.includes(conclusion.reason) ? conclusion : undefined;
}
