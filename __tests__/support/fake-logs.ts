import type { FakeLog } from './fake-log.ts';
import type { ContainerStatusObject } from './pod-object.ts';

/** What a node answers when asked for a log: the log, a refusal, or text of its own in the middle of a 200. */
export type LogAnswer = FakeLog | { refusal: string } | { text: string };

/** The logs on one pod's node: of each container the last run's and the one's before, which is as many as the kubelet keeps. */
export class FakeLogs {
  readonly #byRun = new Map<string, FakeLog>();
  readonly #runs = new Map<string, string[]>();

  /** A run of a container begins. */
  begin(container: string, run: string, log: FakeLog): void {
    const runs = this.#runs.get(container) ?? [];
    this.#runs.set(container, [...runs.slice(-1), run]);
    for (const old of runs.slice(0, -1)) this.#byRun.delete(old);
    this.#byRun.set(run, log);
  }

  /** The log of a container's last run. */
  last(container: string): FakeLog | undefined {
    return this.#byRun.get(this.#runs.get(container)?.at(-1) ?? '');
  }

  /** The node removes what is left of a container that has ended, to make room (kubernetes/kubernetes#98236). */
  collect(container: string): void {
    for (const run of this.#runs.get(container) ?? []) this.#byRun.delete(run);
  }

  endAll(): void {
    for (const log of this.#byRun.values()) log.end();
  }

  /** Which log the kubelet picks (validateContainerLogStatus in pkg/kubelet/kubelet_pods.go): of a container that waits to be started again, the last run's, with or without `previous`. */
  pick({ name, state, lastState, containerID }: ContainerStatusObject, pod: string, previous: boolean): LogAnswer {
    const container = `container "${name}" in pod "${pod}"`;
    const last = lastState.terminated?.containerID;
    if (previous) return this.#log(last, `previous terminated ${container} not found`);
    if (state.running) return this.#log(containerID, '');
    if (state.terminated) return this.#log(state.terminated.containerID ?? last, `${container} is terminated`);
    return this.#log(last, `${container} is waiting to start: ${whyWaiting(state.waiting?.reason)}`);
  }

  #log(run: string | undefined, refusal: string): LogAnswer {
    if (run === undefined) return { refusal };
    return this.#byRun.get(run) ?? { text: `unable to retrieve container logs for ${run}` };
  }
}

function whyWaiting(reason = 'ContainerCreating'): string {
  if (reason === 'ErrImagePull') return "image can't be pulled";
  return reason === 'ImagePullBackOff' ? 'trying and failing to pull image' : reason;
}
