import type { V1ContainerStateTerminated } from '@kubernetes/client-node';
import { StepError } from '../../github/failure.ts';
import { pause } from '../../kubernetes/pause.ts';
import { annotatePod } from '../../kubernetes/pods.ts';
import { ApiError } from '../../kubernetes/status.ts';
import { RESULT_ASKED_ANNOTATION } from '../../pod/identity.ts';
import { RESULT_SIDECAR } from '../../pod/result.ts';
import { containerEnded, isResultSidecar, isSidecar, terminated } from '../containers.ts';
import { signalName } from '../end/failure.ts';
import { followLog, type LogReader } from '../logs/follow.ts';
import type { ObservedPod } from '../observe.ts';
import type { Step } from '../run.ts';
import { FrameReader, type SentFile } from './frame.ts';
import { CHECK_SIDECAR_IMAGE, sidecarPatch } from './no-sidecar.ts';

/** What came of the sidecar, or why nothing did. */
export type Received = { files: ReadonlyMap<string, SentFile> } | { why: string; remedy: string };

/** What it needs of its step. */
export type Receiving = Pick<Step, 'client' | 'lastCall' | 'log' | 'origin'> & { plan: Pick<Step['plan'], 'base'> };

/** The sidecar is told by its node within a second that base has ended, unless others go on: then it is asked. */
const TOLD_MS = 1000;
const TOLD_LATE_MS = 5000;
/** A node tells it of an annotation within seconds. Without an answer by then, there will be none. */
const ANSWER_MS = 60_000;
/** An answer that took longer had to wait for the API server. */
const OUTAGE_MS = 2000;

/** The exit code of what was ended by SIGKILL. */
const SIGKILLED = 137;

const MAY_NOT = {
  why: 'the credentials may not tell it not to',
  remedy: 'Add patch on pods to the Role, or have those containers end with the base container.',
};
const NO_ANSWER = {
  why: 'did not answer when it was told not to',
  remedy: 'Have those containers end when they are told to (SIGTERM), or with the base container.',
};
const A_STRANGERS = {
  why: 'a pod that is not known to be this repository’s is left alone',
  remedy: 'Give `pod_uid`, where a workflow of this repository has made it.',
};

/**
 * Reads what the result's sidecar sends, from the pod's creation on: its log, as any other. A stream that is open then brings what is said last even of a pod that somebody deletes.
 */
export class ResultFollower {
  readonly #step: Receiving;
  readonly #pod: ObservedPod;
  readonly #frames = new FrameReader();
  readonly #stop = new AbortController();
  readonly #over: Promise<void>;
  #heardAt = 0;
  #fault: string | undefined;
  /** Why it has not been asked, where others keep it waiting. */
  #unasked: { why: string; remedy: string } | undefined;
  #isRefused = false;
  #whole = () => {};

  constructor(step: Receiving, pod: ObservedPod) {
    this.#step = step;
    this.#pod = pod;
    const whole = new Promise<void>(resolve => {
      this.#whole = resolve;
    });
    const signal = AbortSignal.any([step.lastCall, this.#stop.signal]);
    const followed = followLog(step.client, pod, RESULT_SIDECAR, this.#reader(), { signal }).catch(error => {
      this.#fault ??= error instanceof StepError ? error.text : undefined;
      if (!signal.aborted && !(error instanceof StepError)) throw error;
    });
    this.#over = Promise.race([whole, followed]);
    // Awaited once the container has ended.
    this.#over.catch(() => {});
  }

  /**
   * The base container has ended: settles when all has come that it left, or nothing will come.
   * @throws the signal's reason
   */
  async receive(signal: AbortSignal): Promise<Received> {
    this.#heardAt = performance.now();
    const over = this.#over.then(() => 'over' as const);
    for (let asked = false; ; ) {
      const waited = new AbortController();
      const quiet = this.#quiet(
        () => (asked ? this.#patienceMs : this.#toldMs),
        AbortSignal.any([signal, waited.signal]),
      );
      const what = await Promise.race([over, quiet]).finally(() => waited.abort());
      if (what === 'over') break;
      if (!asked) {
        // What comes meanwhile is all that was to be asked for.
        await Promise.race([over, this.#ask(AbortSignal.any([signal, this.#stop.signal]))]);
        asked = true;
        continue;
      }
      const since = performance.now();
      await this.#pod.refresh();
      signal.throwIfAborted();
      if (performance.now() - since < OUTAGE_MS) break;
      this.#heardAt = performance.now();
    }
    this.close();
    const { files } = this.#frames;
    return files === undefined ? this.#whyNot() : { files };
  }

  /** Nothing more is read. */
  close(): void {
    this.#stop.abort();
  }

  get #toldMs(): number {
    return this.#others.length > 0 ? TOLD_MS : TOLD_LATE_MS;
  }

  get #patienceMs(): number {
    const { pod } = this.#pod.view;
    const { terminationGracePeriodSeconds = 30, containers = [] } = pod.spec ?? {};
    // The node tells a pod that is on its way out nothing by annotations any more [measured], and ends the sidecar when all others have ended, be it by force.
    const { deletionTimestamp, deletionGracePeriodSeconds: grace = terminationGracePeriodSeconds } = pod.metadata ?? {};
    const isEnding = deletionTimestamp !== undefined || containers.every(({ name }) => containerEnded(pod, name));
    if (isEnding && this.#others.length > 0) return 1000 * grace + TOLD_LATE_MS;
    return this.#unasked !== undefined || this.#isRefused ? TOLD_LATE_MS : ANSWER_MS;
  }

  /** The containers that keep the node from telling the sidecar that it is time: it ends the native sidecars after all others, and of them the last first (KEP-753). */
  get #others(): string[] {
    const { pod, gone } = this.#pod.view;
    const { containers = [], initContainers = [] } = pod.spec ?? {};
    const behind = initContainers.slice(1 + initContainers.findIndex(isResultSidecar)).filter(isSidecar);
    const running = [...containers, ...behind].filter(({ name }) => !containerEnded(pod, name));
    return gone ? [] : running.map(({ name }) => name);
  }

  /** Settles when nothing of a frame has come for so long. */
  async #quiet(ms: () => number, signal: AbortSignal): Promise<'quiet'> {
    for (;;) {
      const left = this.#heardAt + ms() - performance.now();
      if (left <= 0) return 'quiet';
      await pause(Math.min(left, 250), signal);
    }
  }

  /** Asks until the API server has taken it, as it may be away, or says that it never will. */
  async #ask(signal: AbortSignal): Promise<void> {
    const { client, log, origin } = this.#step;
    if (origin?.kind === 'attached' && origin.stranger !== undefined) {
      this.#unasked = A_STRANGERS;
      return;
    }
    for (let tries = 0; ; tries++) {
      this.#heardAt = performance.now();
      try {
        return await annotatePod(client, this.#pod.identity, { [RESULT_ASKED_ANNOTATION]: 'true' }, { signal });
      } catch (error) {
        signal.throwIfAborted();
        try {
          await client.endure(error, tries, signal);
        } catch {
          signal.throwIfAborted();
          if (error instanceof ApiError && error.code === 403) this.#unasked = MAY_NOT;
          log.debug(`The result’s sidecar could not be asked: ${(error as Error).message}`);
          return;
        }
      }
    }
  }

  #reader(): LogReader {
    const note = (why: string) => {
      this.#fault = why;
    };
    return {
      emit: bytes => {
        const { taken } = this.#frames;
        this.#frames.push(bytes);
        if (this.#frames.taken > taken) this.#heardAt = performance.now();
        if (this.#frames.files !== undefined) this.#whole();
      },
      gap: () => note('The node has thrown away a part of what it sent.'),
      late: () => {},
      refused: why => {
        note(why);
        this.#isRefused = true;
      },
      incomplete: note,
      restarted: () => {},
    };
  }

  #whyNot(): Received {
    const { view } = this.#pod;
    const ended = terminated(view.pod, RESULT_SIDECAR);
    const [others, stray] = [this.#others, this.#frames.stray];
    const said = stray.length === 0 ? '' : ` It said: ${stray.join(' / ')}`;
    if (others.length > 0 && (this.#unasked !== undefined || (this.#fault === undefined && ended === undefined))) {
      const { why, remedy } = this.#unasked ?? NO_ANSWER;
      return {
        why: `The result’s sidecar waits for ${others.length === 1 ? `container ${others[0]}, which still runs` : `containers ${others.join(', ')}, which still run`}, and ${why}.${said}`,
        remedy,
      };
    }
    if (this.#fault !== undefined)
      return {
        why: `What the result’s sidecar sent could not be read. ${this.#fault}`,
        remedy: this.#isRefused ? 'Add get on pods/log to the Role.' : 'Run the step again where that does no harm.',
      };
    if (view.gone)
      return {
        why: `The pod was gone before its result could be read.${said}`,
        remedy: 'Run the step again where that does no harm.',
      };
    if (ended !== undefined)
      return {
        why: `The result’s sidecar ended with exit code ${ended.exitCode}${signalName(ended.exitCode)}${ended.reason && ended.reason !== 'Error' ? ` (${ended.reason})` : ''}, and has sent no result.${said}`,
        remedy: remedyFor(ended),
      };
    return {
      why: `The result’s sidecar did not send a result.${said}`,
      remedy: `${CHECK_SIDECAR_IMAGE} With \`on_finish_action: keep_pod\` it can be looked into: kubectl -n ${this.#pod.identity.namespace} logs ${this.#pod.identity.name} -c ${RESULT_SIDECAR}`,
    };
  }
}

function remedyFor({ exitCode, reason }: V1ContainerStateTerminated): string {
  if (reason === 'OOMKilled') return `Give it more memory: ${sidecarPatch('{limits: {memory: 64Mi}}')}.`;
  if (exitCode === SIGKILLED)
    return 'Its node has stopped it before it was through: the pod has `termination_grace_period` seconds for all that goes on when its container has ended.';
  return CHECK_SIDECAR_IMAGE;
}
