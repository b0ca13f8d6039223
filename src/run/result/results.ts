import { RESULT_FILE } from '../../pod/result.ts';
import type { Outcome } from '../end/outcome.ts';
import type { ObservedPod } from '../observe.ts';
import type { Step } from '../run.ts';
import { type Receiving, ResultFollower } from './follower.ts';
import type { Found } from './found.ts';
import { foundInMessage } from './message.ts';
import { foundInFile } from './sent.ts';
import { type StepFiles, stepFilesOf } from './step-files.ts';

/** What the base container leaves for a result, by whichever way it gets out of the pod. */
export class Results {
  readonly #plan: Pick<Step['plan'], 'base' | 'resultIn'>;
  readonly #pod: ObservedPod;
  readonly #follower: ResultFollower | undefined;
  /** What a script has left in the files of the runner's, once it has been found. */
  stepFiles: StepFiles | undefined;

  constructor(step: Receiving & { plan: Pick<Step['plan'], 'base' | 'resultIn'> }, pod: ObservedPod) {
    this.#plan = step.plan;
    this.#pod = pod;
    if (step.plan.resultIn === 'sidecar') this.#follower = new ResultFollower(step, pod);
  }

  /**
   * @param outcome how the base container ended
   * @throws the signal's reason
   */
  async found(outcome: Outcome, signal: AbortSignal): Promise<Found> {
    const { ended } = outcome;
    // The kubelet's own account of why a container could not start is in the sentence already.
    if (outcome.reason === 'StartError' || ended === undefined) return { kind: 'none' };
    const { base, resultIn } = this.#plan;
    if (resultIn === 'message')
      return foundInMessage(ended.message, this.#pod.view.pod, base, outcome.state === 'failed');
    if (this.#follower === undefined) return { kind: 'none' };
    const received = await this.#follower.receive(signal);
    if (!('files' in received)) return { kind: 'unusable', sentence: received.why, remedy: received.remedy };
    this.stepFiles = stepFilesOf(received.files);
    return foundInFile(received.files.get(RESULT_FILE) ?? { kind: 'none' }, this.#pod.view.pod, base, ended);
  }

  /** Nothing more is read. */
  close(): void {
    this.#follower?.close();
  }
}
