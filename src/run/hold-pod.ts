import type { StepError } from '../github/failure.ts';
import { rulesFor } from '../kubernetes/access.ts';
import type { End } from './attempts/tries.ts';
import { cancelledAt } from './cancel/cancelled.ts';
import { Kill } from './cancel/kill.ts';
import { leave, letGo, tidyUp } from './cleanup.ts';
import { explain } from './explain.ts';
import { goesOn } from './goes-on.ts';
import type { ObservedPod } from './observe.ts';
import { traceChanges } from './report.ts';
import type { Conclusion } from './result/conclusion.ts';
import { offerFor, useOf } from './role.ts';
import type { Step } from './run.ts';

/** What is done with a pod while it is held. */
export interface Work {
  run(): Promise<Conclusion>;
  /** The step is cancelled, and its pod has been told to stop. */
  windDown?(): Promise<void>;
  /** @param goesOn whether the pod is left to run */
  close?(goesOn: boolean): Promise<void> | void;
}

/** Holds a pod while something is done with it, so that it is seen to however that ends: well, badly, or because the step is cancelled. */
export async function holdPod(step: Step, pod: ObservedPod, work: Work): Promise<End> {
  const { inputs, plan, log, summary, stop } = step;
  const kill = new Kill(step, pod);
  summary.follow(pod, step);
  traceChanges(pod, plan.base, log);
  let end: End | undefined;
  let left: StepError | undefined;
  try {
    const conclusion = await work.run();
    stop.throwIfAborted();
    log.endSection();
    if (conclusion.state === 'failed') summary.note(await explain(step, pod));
    summary.ended(conclusion);
    end = { conclusion };
  } catch (thrown) {
    // What a cancelled step stumbles over is of no interest.
    const error = stop.aborted ? stop.reason : thrown;
    left = goesOn(error, pod, plan.base);
    const told = left ?? cancelledAt(error, pod.view, plan.base);
    // Who cancels does not ask why.
    if (stop.aborted) await work.windDown?.();
    log.endSection();
    if (!stop.aborted && left === undefined) summary.note(await explain(step, pod));
    summary.failed(offerFor(told, rulesFor(useOf(inputs, plan)))?.error ?? told);
    end = { error: told };
  } finally {
    const deferred = end !== undefined && 'conclusion' in end && end.conclusion.state === 'deferred';
    const kept = stop.aborted && inputs.onKillAction === 'keep_pod';
    await work.close?.(deferred || kept || left !== undefined);
    if (deferred) leave(step, pod, kill);
    else if (left !== undefined) letGo(step, pod, kill);
    else await tidyUp(step, pod, kill);
  }
  return end;
}
