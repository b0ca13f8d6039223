import type { FakeClock } from './fake-clock.ts';
import { parseTime } from './fake-clock.ts';
import { FakeLog } from './fake-log.ts';
import { FakeLogs, type LogAnswer } from './fake-logs.ts';
import type { ContainerObject, ContainerStatusObject, PodObject } from './pod-object.ts';
import { backOff, type Ending, end, isPlainInit, phaseOf, start, statusOf, waitingStatus } from './pod-status.ts';

export type { Ending } from './pod-status.ts';

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
  /** How long a followed stream outlives its container: half a second in truth. */
  logLagMs = 0;
  readonly #home: PodHome;
  readonly #logs = new FakeLogs();
  /** What the kubelet has not reported yet. */
  readonly #unreported = new Map<string, ContainerStatusObject>();
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
      if (this.#status(spec.name).state.waiting) this.#start(this.#status(spec.name));
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
    this.#log(container).rotate();
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

  /** A container that has ended, or ends now with 1, waits to be started again. */
  backOff(container?: string): this {
    const status = this.#status(container);
    if (!status.state.terminated) this.#finish({ container: status.name, exitCode: 1 });
    backOff(status);
    return this.#settle();
  }

  /**
   * The container starts anew: another run, with a log of its own. One that still runs ends with 1 first, and nobody is told of that.
   * @param options `unreported`: the node knows of it, and serves the new log, but the pod's status does not tell until {@link report}
   */
  restart(container?: string, { unreported = false } = {}): this {
    const status = this.#status(container);
    const own = unreported ? structuredClone(status) : status;
    if (own.state.running) this.#end(own, { exitCode: 1 });
    this.#start(own);
    if (!unreported) return this.#settle();
    this.#unreported.set(own.name, own);
    return this;
  }

  /** The kubelet reports what it has not. */
  report(): this {
    for (const name of [...this.#unreported.keys()]) this.#status(name);
    return this.#settle();
  }

  /** As the kubelet does once the other containers have ended: the native sidecars stop, the last one first. */
  stopSidecars(exitCode = 143): this {
    const inits = this.object.spec.initContainers ?? [];
    for (const { name } of inits.filter(({ restartPolicy }) => restartPolicy === 'Always').reverse())
      this.#finish({ container: name, exitCode });
    return this.#settle();
  }

  /** The node removes what is left of a container that has ended, its log too. */
  collect(container?: string): this {
    this.#logs.collect(this.#status(container).name);
    return this;
  }

  /** Deleted with a reason that its conditions tell: `EvictionByEvictionAPI`, `DeletionByTaintManager`, `PreemptionByScheduler`. */
  disrupt(reason: string, message?: string): this {
    return this.#condition('DisruptionTarget', 'True', reason, message).delete();
  }

  /** As the kubelet ends a pod under deletion: the containers stop, then the object goes; the DELETED event has the last status. */
  stop(exitCode = 143): this {
    const running = this.containers.filter(name => statusOf(this.object, name)?.state.running);
    for (const container of running) this.#finish({ container, exitCode });
    if (running.length > 0) this.#settle();
    return this.remove();
  }

  /** The object goes at once, whatever the containers do. */
  remove(): this {
    if (this.#removed) return this;
    this.#removed = true;
    this.#logs.endAll();
    this.#home.gone(this);
    return this;
  }

  /** Marks the pod for deletion, as a DELETE request does, and lets {@link onDelete} go on. */
  delete(graceSeconds = this.object.spec.terminationGracePeriodSeconds ?? 30): this {
    if (graceSeconds === 0) return this.remove();
    if (this.object.metadata.deletionTimestamp === undefined) {
      this.patch(pod => {
        // It says when the grace will be over.
        pod.metadata.deletionTimestamp = this.#home.clock.seconds(graceSeconds);
        pod.metadata.deletionGracePeriodSeconds = graceSeconds;
      });
      if (this.object.spec.nodeName === undefined) return this.remove();
      setImmediate(() => this.onDelete(this));
    }
    return this;
  }

  /** What the node answers when asked for a container's log. */
  logOf(container: string, previous: boolean): LogAnswer {
    const status = this.#unreported.get(container) ?? statusOf(this.object, container);
    if (!status) return { refusal: `container "${container}" in pod "${this.name}" is not available` };
    return this.#logs.pick(status, this.name, previous);
  }

  #append(text: string, container: string | undefined, at: string | undefined, full: boolean, newline: boolean): this {
    const time = at === undefined ? this.#home.clock.tick() : parseTime(at);
    this.#log(container).append({ at: time, text, full, newline });
    return this;
  }

  #start(status: ContainerStatusObject): void {
    start(status, this.object.metadata.uid, this.#home.clock.seconds());
    this.#logs.begin(status.name, status.containerID ?? '', new FakeLog(this.#home.nodeZone));
  }

  #finish(ending: Ending): void {
    const status = this.#status(ending.container);
    if (!status.state.terminated) this.#end(status, ending);
  }

  #end(status: ContainerStatusObject, ending: Ending): void {
    end(status, ending, this.#home.clock.seconds());
    this.#logs.last(status.name)?.end(this.logLagMs);
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

  #log(container?: string): FakeLog {
    const name = container ?? this.#mainName();
    const log = this.#logs.last(name);
    if (!log) throw new Error(`Container ${name} has not been started: call run() first.`);
    return log;
  }

  /** What is told of a container, up to date. */
  #status(container = this.#mainName()): ContainerStatusObject {
    const status = statusOf(this.object, container);
    if (!status)
      throw new Error(
        `No status of container ${container}: call schedule() first. There are ${this.containers.join(', ')}.`,
      );
    const news = this.#unreported.get(container);
    this.#unreported.delete(container);
    return Object.assign(status, news);
  }

  #specs(): ContainerObject[] {
    return [...(this.object.spec.initContainers ?? []), ...this.object.spec.containers];
  }

  #mainName(): string {
    return this.object.spec.containers[0]?.name ?? '';
  }
}
