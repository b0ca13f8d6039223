import type { V1Pod } from '@kubernetes/client-node';
import type { JobLog } from '../github/commands.ts';
import type { ApiClient } from '../kubernetes/client.ts';
import { pause } from '../kubernetes/pause.ts';
import { getPod, type PodIdentity, watchPod } from '../kubernetes/pods.ts';
import { ApiError } from '../kubernetes/status.ts';

/** What is known of the pod. */
export interface PodView {
  /** As last seen. */
  readonly pod: V1Pod;
  /** Whether the object is gone from the API; `pod` is then its last state, which a DELETED event brings along. */
  readonly gone: boolean;
}

/** A GET now and then, in case a watch has gone deaf. */
const CHECK_SECONDS = 45;
/** Bookmarks come about once a minute: a watch that is silent for longer is dead. */
const SILENCE_SECONDS = 150;
/** Where the credentials allow no watch (the runner scale sets' Kubernetes mode), the pod is asked for instead. */
const POLLING = {
  seconds: 2,
  /** After so many times, some 5 minutes, a watch is tried again: the right may have been given since, or the server was not ready to know of it. */
  times: 150,
};
/** How often a watch has to be refused before that is believed. */
const FORBIDDEN_TRIES = 3;
/** Between two watches that bring nothing. */
const LONGEST_PAUSE_MS = 5000;

/** One pod, watched: the one view of it that every part of the run shares. */
export class ObservedPod {
  readonly identity: PodIdentity;
  readonly #client: ApiClient;
  readonly #stop = new AbortController();
  readonly #waiting = new Set<() => void>();
  #view: PodView;
  #failure: { error: unknown } | undefined;
  #resourceVersion: string | undefined;
  #heardAt = performance.now();
  readonly #log: Pick<JobLog, 'line'>;
  readonly #polling: typeof POLLING;
  /** How often the pod is still asked for before a watch is tried. */
  #polls = 0;
  #toldOfPolling = false;

  constructor(client: ApiClient, pod: V1Pod, log: Pick<JobLog, 'line'>, polling = POLLING) {
    const { namespace = '', name = '', uid = '', resourceVersion } = pod.metadata ?? {};
    this.identity = { namespace, name, uid };
    this.#client = client;
    this.#log = log;
    this.#polling = polling;
    this.#view = { pod, gone: false };
    this.#resourceVersion = resourceVersion;
    void this.#observe();
  }

  get view(): PodView {
    return this.#view;
  }

  /**
   * Waits until `decide` finds what it is looking for, now or at a later change of the pod.
   * @param wake has `decide` look again when it is aborted
   * @throws what ended the observation, or the signal's reason
   */
  until<T>(decide: (view: PodView) => T | undefined, signal?: AbortSignal, wake?: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const check = () => {
        try {
          signal?.throwIfAborted();
          const found = decide(this.#view);
          if (found === undefined && this.#failure === undefined) return;
          leave();
          if (found !== undefined) resolve(found);
          else reject(this.#failure?.error);
        } catch (error) {
          leave();
          reject(error);
        }
      };
      const leave = () => {
        this.#waiting.delete(check);
        signal?.removeEventListener('abort', check);
        wake?.removeEventListener('abort', check);
      };
      this.#waiting.add(check);
      signal?.addEventListener('abort', check);
      wake?.addEventListener('abort', check);
      check();
    });
  }

  /** Ends the observation. */
  stop(): void {
    this.#stop.abort();
  }

  async #observe(): Promise<void> {
    const { signal } = this.#stop;
    const check = setInterval(() => void this.#check(), 1000 * CHECK_SECONDS);
    try {
      let failures = 0;
      for (let silent = 0; !this.#view.gone; ) {
        try {
          if (this.#polls > 0) {
            this.#polls--;
            await pause(1000 * this.#polling.seconds, signal);
          } else if (await this.#watch()) silent = 0;
          // One that ends at once, time and again, must not overrun the server.
          else if (silent++ > 0) await pause(Math.min(LONGEST_PAUSE_MS, 100 * 2 ** silent), signal);
          failures = 0;
        } catch (error) {
          signal.throwIfAborted();
          if (error instanceof ApiError && error.code === 403) {
            // A server that has just started refuses what it will soon allow.
            if (failures++ >= FORBIDDEN_TRIES) this.#poll();
            else await pause(1000, signal);
          } else await this.#client.endure(error, failures++, signal);
        }
        if (!this.#view.gone) await this.refresh();
      }
    } catch (error) {
      if (!signal.aborted) {
        this.#failure = { error };
        this.#tell();
      }
    } finally {
      clearInterval(check);
    }
  }

  #poll(): void {
    this.#polls = this.#polling.times;
    if (this.#toldOfPolling) return;
    this.#toldOfPolling = true;
    this.#log.line(
      `The credentials may not watch pods, so the pod is asked for every ${this.#polling.seconds} s: its start and its end are seen that much later.`,
    );
  }

  /** @returns whether the watch brought anything. */
  async #watch(): Promise<boolean> {
    const own = new AbortController();
    const signal = AbortSignal.any([this.#stop.signal, own.signal]);
    const { namespace, name } = this.identity;
    const events = watchPod(this.#client, namespace, name, this.#resourceVersion, signal);
    this.#heardAt = performance.now();
    const deaf = setInterval(() => {
      if (performance.now() - this.#heardAt > 1000 * SILENCE_SECONDS) own.abort();
    }, 1000);
    let heard = false;
    try {
      for await (const { type, object } of events) {
        if (type === 'ERROR') {
          // 410, or a server that gives up: the refresh that follows finds a version to go on from.
          this.#resourceVersion = undefined;
          return heard;
        }
        heard = true;
        this.#heardAt = performance.now();
        this.#resourceVersion = object.metadata?.resourceVersion;
        if (type === 'BOOKMARK') continue;
        if (object.metadata?.uid !== this.identity.uid) this.#see(this.#view.pod, true);
        // Where a GET has overtaken the watch, the next one repeats what came before.
        else if (type === 'DELETED' || isNewer(object, this.#view.pod)) this.#see(object, type === 'DELETED');
        if (this.#view.gone) return true;
      }
    } catch (error) {
      if (error instanceof ApiError && error.code === 410) this.#resourceVersion = undefined;
      else if (!own.signal.aborted) throw error;
    } finally {
      clearInterval(deaf);
      own.abort();
    }
    return heard;
  }

  /** Reads the pod as it is now. An answer that there is none is asked for twice. */
  async refresh(): Promise<void> {
    const { signal } = this.#stop;
    const { namespace, name, uid } = this.identity;
    for (const last of [false, true]) {
      const pod = await getPod(this.#client, namespace, name, signal);
      if (pod?.metadata?.uid === uid) {
        this.#resourceVersion ??= pod.metadata.resourceVersion;
        if (isNewer(pod, this.#view.pod)) this.#see(pod, false);
        return;
      }
      if (last) return this.#see(this.#view.pod, true);
      await pause(1000, signal);
    }
  }

  async #check(): Promise<void> {
    // What goes wrong here goes wrong in the watch too, which deals with it.
    if (this.#polls === 0) await this.refresh().catch(() => {});
  }

  #see(pod: V1Pod, gone: boolean): void {
    this.#view = { pod, gone: gone || this.#view.gone };
    this.#tell();
  }

  #tell(): void {
    for (const check of [...this.#waiting]) check();
  }
}

/** Resource versions are decimal numbers of any size, comparable since Kubernetes 1.35 (KEP-5504) and in fact long before. */
function isNewer(pod: V1Pod, than: V1Pod): boolean {
  const [version, other] = [pod.metadata?.resourceVersion ?? '', than.metadata?.resourceVersion ?? ''];
  if (!/^[0-9]+$/.test(version) || !/^[0-9]+$/.test(other)) return version !== other;
  return BigInt(version) > BigInt(other);
}
