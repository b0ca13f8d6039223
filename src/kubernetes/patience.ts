import type { StepError } from '../github/failure.ts';
import type { Target } from './config.ts';
import { NoCredential } from './connection.ts';
import { noCredential, notLoggedIn } from './credentials/refused.ts';
import { NetworkError, unreachable } from './network-error.ts';
import { pause } from './pause.ts';
import { ApiError, type Asked, lasting } from './status.ts';

/** What a client tells while the server is away: once when it is noticed, once when it is over. */
export interface ConnectionWatcher {
  lost(server: string, what: string, patienceSeconds: number): void;
  back(server: string, awaySeconds: number): void;
  /** A request that the server itself keeps failing. */
  failing(what: string, patienceSeconds: number): void;
  /** A credential that has just been obtained, to be masked. */
  credential(secret: string): void;
  /** A warning that came with an answer, such as that of a deprecated field (KEP-1693). */
  warned?(text: string): void;
  /** Each request and what became of it, for debug logging: `GET /api/v1/... -> 200 (12 ms)`. Neither headers nor bodies, which hold secrets. */
  request?(what: string): void;
}

/** Since when something has failed, by `performance.now()`, and whether it was told of. */
export interface Outage {
  since: number;
  told: boolean;
}

function secondsSince({ since }: Outage): number {
  return (performance.now() - since) / 1000;
}

/** Clusters get upgraded: at first contact this long a refused connection, a time-out or a 5xx is borne. */
const FIRST_CONTACT_PATIENCE_SECONDS = 60;
/** Once the server has answered, an outage of up to this is not an outcome. */
const OUTAGE_PATIENCE_SECONDS = 3600;
/** For this long after an outage a 401 or 403 may come from a server whose caches are not filled yet: about 1 s was measured. */
const SETTLING_SECONDS = 30;
/** For so long a server that refuses what it has accepted before is asked again. */
const REFUSAL_SECONDS = 10;
/** Of what a server asks for with Retry-After. */
const LONGEST_PAUSE_SECONDS = 60;
/** For so long a credential that has ended is tried to be renewed: whoever issues it can be away too. */
const RENEWAL_PATIENCE_SECONDS = 300;

/** How long a failing server is borne, given what it has done before. */
export class Patience {
  readonly #target: Target;
  readonly #watcher: ConnectionWatcher;
  readonly #outageSeconds: number | undefined;
  #contacted = false;
  /** Whether the server has accepted the credentials before. */
  #accepted = false;
  /** What it has allowed before. */
  readonly #allowed = new Set<string>();
  /** Since when it refuses what it has accepted or allowed before. */
  #refusedSince: number | undefined;
  #outage: Outage | undefined;
  #lastOutageEnd = Number.NEGATIVE_INFINITY;
  /** What the last 401 means, where that is known. */
  #refusal: StepError | undefined;
  /** Since when there has been no credential. */
  #withoutCredential: Outage | undefined;

  /** @param outageSeconds how long the server may be away; without it an hour, and a minute before it has ever answered */
  constructor(target: Target, watcher: ConnectionWatcher, outageSeconds?: number) {
    this.#target = target;
    this.#watcher = watcher;
    this.#outageSeconds = outageSeconds;
  }

  /**
   * After a failed try: waits until the next is due, or throws what ends the trying.
   * Between tries there is a jittered pause that doubles up to 5 s, or what the server asked for with Retry-After.
   * @param own of a request that may keep failing while the server answers others, e.g. a create that a broken webhook stands before: since when it has failed
   */
  async endure(error: unknown, tries: number, signal?: AbortSignal, own?: Outage): Promise<void> {
    signal?.throwIfAborted();
    if (!this.#mayPass(error, tries)) throw this.#final(error);
    if (error instanceof NoCredential) this.#endureWithout(error);
    if (isOutage(error)) {
      const startedAt = error instanceof NetworkError ? error.startedAt : undefined;
      this.#outage ??= { since: startedAt ?? performance.now(), told: false };
      const outage = own !== undefined && error instanceof ApiError ? own : this.#outage;
      const seconds = secondsSince(outage);
      const patienceSeconds = this.#patienceSeconds;
      if (seconds >= patienceSeconds) throw this.#final(error, seconds);
      // A single hiccup is nobody's concern.
      if (!outage.told && seconds > 1) {
        outage.told = true;
        const { message } = error as Error;
        if (outage === own) this.#watcher.failing(message, patienceSeconds);
        else this.#watcher.lost(this.#target.server, message, patienceSeconds);
      }
    }
    const asked = error instanceof ApiError ? error.retryAfterSeconds : undefined;
    // Whatever a server asks for, it is not to be forgotten.
    const pauseSeconds =
      asked !== undefined
        ? Math.min(asked, LONGEST_PAUSE_SECONDS)
        : Math.min(5, 0.2 * 2 ** tries) * (0.5 + Math.random());
    await pause(1000 * pauseSeconds, signal);
  }

  /** The server has answered, and not that it cannot. */
  answered(): void {
    this.#contacted = true;
    if (this.#outage === undefined) return;
    const awaySeconds = this.#awaySeconds();
    const { told } = this.#outage;
    this.#outage = undefined;
    this.#lastOutageEnd = performance.now();
    if (told) this.#watcher.back(this.#target.server, awaySeconds);
  }

  /** It has done what was asked. */
  allowed(asked: Asked): void {
    this.#accepted = true;
    this.#allowed.add(rightOf(asked));
    this.#refusedSince = undefined;
  }

  /** It has answered a 401. @param refusal what that means, where it is known */
  refused(refusal: StepError | undefined): void {
    this.#refusal = refusal;
  }

  /** There is a credential, or there is again. */
  credentialFound(): void {
    this.#withoutCredential = undefined;
  }

  #endureWithout(error: NoCredential): void {
    this.#withoutCredential ??= { since: performance.now(), told: false };
    const without = this.#withoutCredential;
    const seconds = secondsSince(without);
    const patienceSeconds = Math.min(RENEWAL_PATIENCE_SECONDS, this.#patienceSeconds);
    if (seconds >= patienceSeconds) throw this.#final(error);
    if (without.told || seconds <= 1) return;
    without.told = true;
    this.#watcher.failing(`The credentials cannot be renewed: ${error.message}`, patienceSeconds);
  }

  #mayPass(error: unknown, tries: number): boolean {
    if (error instanceof NoCredential) return this.#accepted;
    if (error instanceof NetworkError) return error.failing !== 'hopeless' || this.#contacted;
    if (!(error instanceof ApiError)) return false;
    if (isOutage(error)) return true;
    // Two requests raced for a ResourceQuota; the object itself is not there then. A precondition that does not hold never will.
    if (error.code === 409 && error.status.reason === 'Conflict')
      return tries < 5 && !/precondition/i.test(error.status.message ?? '');
    // The first may be a token that has just expired: the credentials have been asked for anew by then.
    if (error.code === 401 && tries === 0 && (this.#contacted || this.#target.credentials !== undefined)) return true;
    // What it has accepted before: one of several servers may have just started, or a file be half written.
    if (this.#isRefusedOfLate(error)) return true;
    const settling = performance.now() - this.#lastOutageEnd < 1000 * SETTLING_SECONDS;
    return settling && (error.code === 401 || error.code === 403);
  }

  #isRefusedOfLate(error: ApiError): boolean {
    // What a policy refuses it refuses for this object.
    const known =
      error.code === 401 ? this.#accepted : error.denial !== undefined && this.#allowed.has(rightOf(error.asked));
    if (!known) return false;
    this.#refusedSince ??= performance.now();
    return performance.now() - this.#refusedSince < 1000 * REFUSAL_SECONDS;
  }

  get #patienceSeconds(): number {
    return this.#outageSeconds ?? (this.#contacted ? OUTAGE_PATIENCE_SECONDS : FIRST_CONTACT_PATIENCE_SECONDS);
  }

  /** @returns what to end with after the last try. */
  #final(error: unknown, seconds = this.#awaySeconds()): unknown {
    if (error instanceof NoCredential) return noCredential(error, this.#accepted);
    if (error instanceof ApiError && error.reason === 'Unauthorized')
      return notLoggedIn(error, this.#target, { accepted: this.#accepted, refusal: this.#refusal });
    if (error instanceof ApiError && isOutage(error)) return lasting(error, seconds);
    if (!(error instanceof NetworkError)) return error;
    const absence = {
      seconds,
      patienceSeconds: this.#patienceSeconds,
      contacted: this.#contacted,
    };
    const { server, proxy, kubeConfig } = this.#target;
    const { caData, caFile } = kubeConfig.getCurrentCluster() ?? {};
    return unreachable(server, error, absence, {
      ...(proxy && { proxy: proxy.host }),
      hasAuthority: Boolean(caData || caFile),
    });
  }

  #awaySeconds(): number {
    return this.#outage === undefined ? 0 : secondsSince(this.#outage);
  }
}

function rightOf({ verb, resource, namespace }: Asked): string {
  return `${verb} ${resource} ${namespace}`;
}

/** Whether an error means that the server is away or overloaded, rather than that it refuses. */
function isOutage(error: unknown): boolean {
  return error instanceof NetworkError || (error instanceof ApiError && (error.code === 429 || error.code >= 500));
}
