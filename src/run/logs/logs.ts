import type { V1ContainerStateTerminated } from '@kubernetes/client-node';
import type { JobLog } from '../../github/commands.ts';
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
  readonly #followed: Promise<unknown>;

  constructor(step: Step, pod: ObservedPod, file: LogFile | undefined) {
    this.#step = step;
    this.#pod = pod;
    const { inputs, plan, log } = step;
    const wanted = inputs.logs.shown || file !== undefined;
    this.#names = wanted ? selectContainers(inputs.logs, plan.base, plan.pod, pod.view.pod) : [];
    this.#file = file;
    for (const sentence of wrongNames(inputs.logs, pod.view.pod)) log.warning('Input', sentence);
    const shown = new Lanes(log);
    const filed = new Lanes({ ready: true, whenReady: () => Promise.resolve() });
    const signal = AbortSignal.any([step.stop, this.#stop.signal]);
    this.#followed = Promise.all(
      this.#names.map(name => {
        const lastCall = new AbortController();
        this.#lastCalls.set(name, lastCall);
        const lanes = [
          ...(inputs.logs.shown ? [shown.add(this.#shownContainer(name))] : []),
          ...(this.#file ? [filed.add(this.#file.container(this.#prefix(name), this.#names.length === 1))] : []),
        ];
        const options = { signal, lastCall: lastCall.signal };
        return this.#follow(name, lanes, options);
      }),
    );
    // Awaited at the end; should one fail while the container still runs, that is time enough.
    this.#followed.catch(() => {});
  }

  /**
   * The base container has ended: settles when all logs that are to be had have been shown and written. What goes on beside it is shown up to here.
   * @throws what made a log unreadable for good, such as credentials that cannot be had any more
   */
  async finish(): Promise<void> {
    for (const [name, lastCall] of this.#lastCalls) void this.#callLast(name, lastCall);
    await this.#followed;
  }

  /** Nothing more is read; for a run that has no outcome. Without effect after {@link finish}. */
  close(): void {
    this.#stop.abort();
    this.#file?.close();
  }

  async #follow(name: string, lanes: Lane[], options: { signal: AbortSignal; lastCall: AbortSignal }): Promise<void> {
    await followLog(this.#step.client, this.#pod, name, this.#reader(name, lanes), options);
    for (const lane of lanes) await lane.end();
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
      .catch(() => {
        if (!this.#stop.signal.aborted)
          this.#step.log.line(`Container ${name} still runs; its log is shown up to here.`);
      });
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

  #reader(name: string, lanes: Lane[]): LogReader {
    const { log } = this.#step;
    return {
      emit: bytes => {
        for (const lane of lanes) lane.push(bytes);
      },
      gap: (from, to) => tellGap(log, name, from, to),
      late: (from, seconds) =>
        log.warning(
          'Log may lack its beginning',
          `The log of container ${name} was first read when it had run for a while. What the node still has begins at ${from}, ${seconds} s after the container’s start: what came before, if anything, has been rotated away.`,
        ),
      refused: why =>
        log.warning('Log not readable', `The log of container ${name} cannot be read, so it is not shown: ${why}`),
      incomplete: why => log.warning('Log may be incomplete', `Lines of container ${name} may be missing. ${why}`),
      restarted: (before, restarts, unseen) => {
        log.line(restartLine(name, before, restarts));
        if (unseen > 0)
          log.warning(
            'Log lines lost',
            `Container ${name} ran ${unseen === 1 ? 'once more' : `${unseen} times more`} in between, too shortly for ${unseen === 1 ? 'its log' : 'its logs'} to be read.`,
          );
      },
    };
  }
}

function tellGap(log: JobLog, name: string, from: string, to: string | undefined): void {
  log.warning(
    'Log lines lost',
    `The node rotated the log of container ${name} while it could not be read: what it wrote ${to === undefined ? `after ${from}` : `between ${from} and ${to}`} may be missing.`,
  );
}

function restartLine(name: string, before: V1ContainerStateTerminated | undefined, restarts: number): string {
  const how = before === undefined ? 'ended' : `exited with code ${before.exitCode}`;
  return `Container ${name} ${how} and is started again (restart ${restarts}).`;
}
