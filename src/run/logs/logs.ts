import type { V1ContainerStateTerminated } from '@kubernetes/client-node';
import { StepError } from '../../github/failure.ts';
import { containerEnded, isSidecar } from '../containers.ts';
import type { ObservedPod } from '../observe.ts';
import type { Step } from '../run.ts';
import { followLog, type LogReader } from './follow.ts';
import { type Lane, Lanes } from './lanes.ts';
import type { LogFile } from './log-file.ts';
import { selectContainers, wrongNames } from './selection.ts';
import { ShownContainer } from './shown-container.ts';

/** The cluster ends a native sidecar as soon as the containers beside it have ended: so long its last lines are waited for. */
const SIDECAR_END_SECONDS = 5;
/** Containers often end together, and their ends are told one after the other. */
const OTHERS_END_SECONDS = 1;

/** The logs of a pod's containers, from the pod's creation on: those that are wanted are shown, written to a file, or both. */
export class Logs {
  readonly #step: Step;
  readonly #pod: ObservedPod;
  readonly #names: string[];
  readonly #file: LogFile | undefined;
  readonly #stop = new AbortController();
  /** Aborted for a container that is not waited for any more. */
  readonly #lastCalls = new Map<string, AbortController>();
  readonly #stillRunning = new Set<string>();
  readonly #shown: Lanes | undefined;
  readonly #filed = new Lanes({ ready: true, whenReady: () => Promise.resolve() });
  readonly #followed: Promise<unknown>;

  constructor(step: Step, pod: ObservedPod) {
    this.#step = step;
    this.#pod = pod;
    const { inputs, plan, log, logFile: file } = step;
    const wanted = inputs.logs.shown || file !== undefined;
    this.#names = wanted ? selectContainers(inputs.logs, plan.base, plan.pod, pod.view.pod) : [];
    this.#file = file;
    for (const sentence of wrongNames(inputs.logs, pod.view.pod)) log.warning('Input', sentence);
    this.#shown = inputs.logs.shown ? new Lanes(log) : undefined;
    const signal = AbortSignal.any([step.lastCall, this.#stop.signal]);
    this.#followed = Promise.all(
      this.#names.map(name => {
        const lastCall = new AbortController();
        this.#lastCalls.set(name, lastCall);
        return this.#follow(name, { signal, lastCall: lastCall.signal });
      }),
    );
    // Awaited at the end; should one fail while the container still runs, that is time enough.
    this.#followed.catch(() => {});
  }

  /**
   * The base container has ended: settles when all logs that are to be had have been shown and written. What goes on beside it is shown up to here.
   * The outcome stands already, so a log that cannot be read any more, for the server or the credentials are gone, is a warning.
   * @throws the reason of the last call, when there is no more time
   */
  async finish(): Promise<void> {
    for (const [name, lastCall] of this.#lastCalls) void this.#callLast(name, lastCall);
    try {
      await this.#followed;
    } catch (error) {
      if (this.#step.lastCall.aborted || !(error instanceof StepError)) throw error;
      this.#step.log.warning('Log may be incomplete', `The end of the log could not be read. ${error.text}`);
    }
  }

  /** Nothing more is read; for a run that has no outcome. Without effect after {@link finish}. */
  close(): void {
    this.#stop.abort();
  }

  async #follow(name: string, options: { signal: AbortSignal; lastCall: AbortSignal }): Promise<void> {
    const shown = this.#shown?.add(this.#shownContainer(name));
    const filed = this.#file && this.#filed.add(this.#file.container(this.#prefix(name), this.#names.length === 1));
    await followLog(this.#step.client, this.#pod, name, this.#reader(name, shown, filed), options);
    await Promise.all([shown?.end(), filed?.end()]);
    if (this.#stillRunning.has(name)) this.#step.log.line(`Container ${name} still runs; its log is shown up to here.`);
  }

  async #callLast(name: string, lastCall: AbortController): Promise<void> {
    const { pod } = this.#pod.view;
    const { containers = [], initContainers = [] } = pod.spec ?? {};
    const sidecar =
      initContainers.some(container => container.name === name && isSidecar(container)) &&
      containers.every(container => containerEnded(pod, container.name));
    const timeout = AbortSignal.any([
      this.#stop.signal,
      AbortSignal.timeout(1000 * (sidecar ? SIDECAR_END_SECONDS : OTHERS_END_SECONDS)),
    ]);
    await this.#pod
      .until(view => (view.gone || containerEnded(view.pod, name) ? true : undefined), timeout)
      .catch(() => this.#stillRunning.add(name));
    lastCall.abort();
  }

  #prefix(name: string): string {
    return this.#names.length > 1 && this.#step.inputs.logs.prefixed ? `[${name}] ` : '';
  }

  #shownContainer(name: string): ShownContainer {
    const { inputs, plan, log } = this.#step;
    return new ShownContainer(log, {
      prefix: this.#prefix(name),
      alone: this.#names.length === 1,
      annotations: inputs.logs.annotations && name === plan.base,
    });
  }

  #reader(name: string, shown: Lane | undefined, filed: Lane | undefined): LogReader {
    const { log } = this.#step;
    /** Says something in its place, be the lines before it printed yet or not. */
    const say = (act: () => void) => (shown ? shown.note(act) : act());
    const warn = (title: string, text: string) => say(() => log.warning(title, text));
    return {
      emit: bytes => {
        shown?.push(bytes);
        filed?.push(bytes);
      },
      gap: (from, to) => warn('Log lines lost', gapText(name, from, to)),
      late: (from, seconds) =>
        warn(
          'Log may lack its beginning',
          `The log of container ${name} was first read when it had run for a while. What the node still has begins at ${from}, ${seconds} s after the container’s start: what came before, if anything, has been rotated away.`,
        ),
      refused: why =>
        warn('Log not readable', `The log of container ${name} cannot be read, so it is not shown: ${why}`),
      incomplete: why => warn('Log may be incomplete', `Lines of container ${name} may be missing. ${why}`),
      restarted: (before, restarts, unseen) => {
        shown?.endRun();
        filed?.endRun();
        say(() => log.line(restartText(name, before, restarts)));
        if (unseen > 0) warn('Log lines lost', unseenText(name, unseen));
      },
    };
  }
}

function gapText(name: string, from: string, to: string | undefined): string {
  return `The node rotated the log of container ${name} while it could not be read: what it wrote ${to === undefined ? `after ${from}` : `between ${from} and ${to}`} may be missing.`;
}

function unseenText(name: string, unseen: number): string {
  return `Container ${name} ran ${unseen === 1 ? 'once more' : `${unseen} times more`} in between, too shortly for ${unseen === 1 ? 'its log' : 'its logs'} to be read.`;
}

function restartText(name: string, before: V1ContainerStateTerminated | undefined, restarts: number): string {
  const how = before === undefined ? 'ended' : `exited with code ${before.exitCode}`;
  return `Container ${name} ${how} and is started again (restart ${restarts}).`;
}
