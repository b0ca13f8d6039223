import { FakeClock } from './fake-clock.ts';
import { FakePod } from './fake-pod.ts';
import type { PodObject } from './pod-object.ts';

export interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  object: unknown;
}

interface StoredEvent {
  version: number;
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: PodObject;
}

/** What etcd and the watch cache hold: the pods, and everything that ever happened to them. */
export class FakeCluster {
  readonly clock: FakeClock;
  /** Every pod there ever was, in order of creation. */
  readonly pods: FakePod[] = [];
  readonly #events: StoredEvent[] = [];
  readonly #watchers = new Set<(event: StoredEvent) => void>();
  readonly #nodeZone: string;
  #version = 1000;
  #oldest = 0;

  constructor(startTime: string, nodeZone: string) {
    this.clock = new FakeClock(startTime);
    this.#nodeZone = nodeZone;
  }

  get version(): string {
    return String(this.#version);
  }

  /** Oldest version a watch may start from. */
  get oldest(): string {
    return String(this.#oldest);
  }

  find(namespace: string, name: string): FakePod | undefined {
    return this.list(namespace).find(pod => pod.name === name);
  }

  list(namespace: string): FakePod[] {
    return this.pods.filter(pod => !pod.removed && pod.object.metadata.namespace === namespace);
  }

  create(manifest: Record<string, unknown>, namespace: string): FakePod {
    const pod = new FakePod(this.#stored(manifest, namespace), {
      clock: this.clock,
      nodeZone: this.#nodeZone,
      changed: changed => this.#record(changed, 'MODIFIED'),
      gone: gone => this.#record(gone, 'DELETED'),
    });
    this.pods.push(pod);
    this.#record(pod, 'ADDED');
    return pod;
  }

  /** The pod as it would be created, which it is not. */
  wouldCreate(manifest: Record<string, unknown>, namespace: string): PodObject {
    return this.#stored(structuredClone(manifest), namespace);
  }

  /** Forgets the history, as compaction does: a watch from an older version is told 410. */
  compact(): void {
    this.#oldest = this.#version;
  }

  /** Events after `version`; `undefined` when it is too old. Then each one as it happens. */
  watch(
    version: string,
    onEvent: (event: StoredEvent) => void,
  ): { stop: () => void; missed: StoredEvent[] } | undefined {
    if (Number(version) < this.#oldest) return undefined;
    this.#watchers.add(onEvent);
    return {
      stop: () => this.#watchers.delete(onEvent),
      missed: this.#events.filter(event => event.version > Number(version)),
    };
  }

  #record(pod: FakePod, type: StoredEvent['type']): void {
    // A controller still holding a pod that is gone (a late patch of a test) changes nothing any more.
    if (type === 'MODIFIED' && pod.removed) return;
    pod.object.metadata.resourceVersion = String(++this.#version);
    const event: StoredEvent = { version: this.#version, type, object: structuredClone(pod.object) };
    this.#events.push(event);
    for (const watcher of [...this.#watchers]) watcher(event);
  }

  #stored(manifest: Record<string, unknown>, namespace: string): PodObject {
    const { metadata, spec } = structuredClone(manifest) as unknown as PodObject;
    this.clock.tick();
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        ...metadata,
        namespace,
        uid: `00000000-0000-4000-8000-${String(this.pods.length + 1).padStart(12, '0')}`,
        resourceVersion: '',
        creationTimestamp: this.clock.seconds(),
      },
      spec: {
        restartPolicy: 'Always',
        terminationGracePeriodSeconds: 30,
        dnsPolicy: 'ClusterFirst',
        serviceAccountName: 'default',
        schedulerName: 'default-scheduler',
        ...spec,
      },
      status: { phase: 'Pending', qosClass: 'BestEffort' },
    };
  }
}
