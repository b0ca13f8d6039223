import type { FakeClock } from './fake-clock.ts';
import { parseTime } from './fake-clock.ts';
import { FakeLog } from './fake-log.ts';
import type { ContainerObject, ContainerStatusObject, PodObject } from './pod-object.ts';
import { isPlainInit, phaseOf, statusOf, waitingStatus } from './pod-status.ts';

export interface Ending {
  /** Default is the pod's first container. */
  container?: string;
  exitCode?: number;
  reason?: string;
  /** What the container wrote to its termination message path. */
  message?: string;
}

export interface Written {
  container?: string;
  /** RFC 3339 with nanoseconds; default is the clock's next tick. */
  at?: string;
  /** `false` for a last line without its end. */
  newline?: boolean;
}

/** What the pod needs of the cluster. */
export interface PodHome {
  clock: FakeClock;
  nodeZone: string;
  changed(pod: FakePod): void;
  gone(pod: FakePod): void;
}

/** A pod on the fake cluster, moved through its life by calls: `schedule`, `run`, `write`, `terminate`; each change is a watch event. */
export class FakePod {
  object: PodObject;
  /** What happens when its deletion is asked for; by default its containers end with 143 at once and the object goes. */
  onDelete: (pod: FakePod) => void = pod => pod.stop();
  readonly #home: PodHome;
  readonly #logs = new Map<string, { current: FakeLog; previous?: FakeLog }>();
  #removed = false;

  constructor(object: PodObject, home: PodHome) {
    this.object = object;
    this.#home = home;
  }

  get name(): string {
    return this.object.metadata.name;
  }

  get removed(): boolean {
    return this.#removed;
  }

  /** Names of all containers, init containers first. */
  get containers(): string[] {
    return this.#specs().map(container => container.name);
  }

  /** Changes the object in any way and tells the watches. */
  patch(change: (pod: PodObject) => void): this {
    change(this.object);
    this.#home.clock.tick();
    this.#home.changed(this);
    return this;
  }

  unschedulable(message = '0/1 nodes are available: 1 Insufficient cpu.'): this {
    return this.#condition('PodScheduled', 'False', 'Unschedulable', message);
  }

  schedule(node = 'node-1'): this {
    this.object.spec.nodeName = node;
    const inits = this.object.spec.initContainers ?? [];
    const reason = inits.length > 0 ? 'PodInitializing' : 'ContainerCreating';
    this.object.status.containerStatuses = this.object.spec.containers.map(container =>
      waitingStatus(container, reason),
    );
    if (inits.length > 0)
      this.object.status.initContainerStatuses = inits.map(container => waitingStatus(container, 'PodInitializing'));
    this.object.status['hostIP'] = '192.0.2.1';
    this.object.status['startTime'] = this.#home.clock.seconds();
    return this.#condition('PodScheduled', 'True');
  }

  /** A reason why a container does not start, e.g. `ErrImagePull`. */
  waiting(reason: string, message?: string, container?: string): this {
    const status = this.#status(container);
    return this.patch(() => {
      status.state = { waiting: { reason, ...(message !== undefined && { message }) } };
    });
  }

  /**
   * Starts a container; without a name the whole pod: plain init containers have ended well, sidecars and containers run. Schedules it first if need be.
   */
  run(container?: string): this {
    if (this.object.spec.nodeName === undefined) this.schedule();
    for (const spec of this.#specs()) {
      if (container !== undefined && spec.name !== container) continue;
      if (this.#status(spec.name).state.waiting) this.#start(spec.name);
      if (container === undefined && isPlainInit(this.object, spec)) this.#finish({ container: spec.name });
    }
    return this.#settle();
  }

  /** A whole line. */
  write(text: string, { container, at, newline = true }: Written = {}): this {
    return this.#append(text, container, at, true, newline);
  }

  /** A part of a line: the container runtime writes lines over 16 KiB in several, each with a timestamp of its own. */
  writePart(text: string, { container, at }: Written = {}): this {
    return this.#append(text, container, at, false, false);
  }

  /** The node rotates the log: what was written is no longer served. */
  rotateLog(container?: string): this {
    this.#log(container).current.rotate();
    return this;
  }

  terminate(ending: Ending = {}): this {
    this.#finish(ending);
    return this.#settle();
  }

  /** Ends every container that still runs or waits: the one named by `ending` with it, the others with 0. */
  finish(ending: Ending = {}): this {
    const main = ending.container ?? this.#mainName();
    for (const name of [main, ...this.containers]) {
      if (!this.#status(name).state.terminated) this.#finish(name === main ? ending : { container: name });
    }
    return this.#settle();
  }

  /** The container starts anew: another instance, with a log of its own. */
  restart(container?: string): this {
    const status = this.#status(container);
    if (!status.state.terminated) this.#finish({ container: status.name, exitCode: 1 });
    const { current } = this.#log(container);
    status.lastState = status.state;
    status.restartCount++;
    this.#logs.set(status.name, { current: new FakeLog(this.#home.nodeZone), previous: current });
    this.#start(status.name);
    return this.#settle();
  }

  /** As the kubelet ends a pod under deletion: the containers stop, then the object goes; the DELETED event has the last status. */
  stop(exitCode = 143): this {
    const running = this.containers.filter(name => this.#statusOf(name)?.state.running);
    for (const container of running) this.#finish({ container, exitCode });
    if (running.length > 0) this.#settle();
    return this.remove();
  }

  /** The object goes at once, whatever the containers do. */
  remove(): this {
    if (this.#removed) return this;
    this.#removed = true;
    for (const { current } of this.#logs.values()) if (!current.ended) current.end();
    this.#home.gone(this);
    return this;
  }

  /** Marks the pod for deletion, as a DELETE request does, and lets {@link onDelete} go on. */
  delete(graceSeconds = this.object.spec.terminationGracePeriodSeconds ?? 30): this {
    if (graceSeconds === 0) return this.remove();
    if (this.object.metadata.deletionTimestamp === undefined) {
      this.patch(pod => {
        pod.metadata.deletionTimestamp = this.#home.clock.seconds();
        pod.metadata.deletionGracePeriodSeconds = graceSeconds;
      });
      if (this.object.spec.nodeName === undefined) return this.remove();
      setImmediate(() => this.onDelete(this));
    }
    return this;
  }

  /** The log of a container that has been started, or why there is none. */
  logOf(container: string, previous: boolean): FakeLog | { waiting: string } | undefined {
    const logs = this.#logs.get(container);
    if (previous) return logs?.previous;
    return logs?.current ?? { waiting: this.#statusOf(container)?.state.waiting?.reason ?? 'ContainerCreating' };
  }

  #append(text: string, container: string | undefined, at: string | undefined, full: boolean, newline: boolean): this {
    const time = at === undefined ? this.#home.clock.tick() : parseTime(at);
    this.#log(container).current.append({ at: time, text, full, newline });
    return this;
  }

  #start(name: string): void {
    const status = this.#status(name);
    const startedAt = this.#home.clock.seconds();
    status.state = { running: { startedAt } };
    status.containerID = `containerd://${this.object.metadata.uid}-${name}-${status.restartCount}`;
    status.imageID = `${status.image}@sha256:${'0'.repeat(64)}`;
    status.ready = true;
    status.started = true;
    if (!this.#logs.has(name)) this.#logs.set(name, { current: new FakeLog(this.#home.nodeZone) });
  }

  #finish({ container, exitCode = 0, reason, message }: Ending): void {
    const status = this.#status(container);
    if (status.state.terminated) return;
    const now = this.#home.clock.seconds();
    status.ready = false;
    status.started = false;
    status.state = {
      terminated: {
        exitCode,
        reason: reason ?? (exitCode === 0 ? 'Completed' : 'Error'),
        ...(message !== undefined && { message }),
        startedAt: status.state.running?.startedAt ?? now,
        finishedAt: now,
        ...(status.containerID !== undefined && { containerID: status.containerID }),
      },
    };
    this.#logs.get(status.name)?.current.end();
  }

  #settle(): this {
    this.object.status.phase = phaseOf(this.object);
    const ready = (this.object.status.containerStatuses ?? []).every(status => status.ready);
    return this.#condition('Ready', ready ? 'True' : 'False');
  }

  #condition(type: string, value: string, reason?: string, message?: string): this {
    return this.patch(pod => {
      const others = (pod.status.conditions ?? []).filter(condition => condition.type !== type);
      const details = { ...(reason !== undefined && { reason }), ...(message !== undefined && { message }) };
      pod.status.conditions = [
        ...others,
        { type, status: value, lastTransitionTime: this.#home.clock.seconds(), ...details },
      ];
    });
  }

  #log(container?: string): { current: FakeLog; previous?: FakeLog } {
    const name = container ?? this.#mainName();
    const log = this.#logs.get(name);
    if (!log) throw new Error(`Container ${name} has not been started: call run() first.`);
    return log;
  }

  #status(container = this.#mainName()): ContainerStatusObject {
    const status = this.#statusOf(container);
    if (!status)
      throw new Error(
        `No status of container ${container}: call schedule() first. There are ${this.containers.join(', ')}.`,
      );
    return status;
  }

  #statusOf(container: string): ContainerStatusObject | undefined {
    return statusOf(this.object, container);
  }

  #specs(): ContainerObject[] {
    return [...(this.object.spec.initContainers ?? []), ...this.object.spec.containers];
  }

  #mainName(): string {
    return this.object.spec.containers[0]?.name ?? '';
  }
}
