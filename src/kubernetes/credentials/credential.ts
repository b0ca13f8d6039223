import type { StepError } from '../../github/failure.ts';
import { pause } from '../pause.ts';
import { unlessAborted } from '../unless-aborted.ts';

/** What a request proves its sender by: a bearer token, a client certificate with its key, or both. */
export interface Credential {
  token?: string;
  /** PEM. */
  certificate?: string;
  /** PEM. */
  key?: string;
  /** When it ends, in milliseconds since the epoch; absent where it does not say. */
  expiresAt?: number;
}

/** Where credentials come from that do not last as long as a run may. */
export interface CredentialSource {
  /** @throws Error with half a sentence, of why there is none */
  obtain(): Promise<Credential>;
  /** @returns what ends a step whose credential the server has not accepted, where there is more to say of it than of any */
  refusal?(credential: Credential): StepError;
}

/** So long before its end a credential is renewed, or a quarter of its life before it, where that is shorter: clocks differ, and a request takes its time. */
const MOST_EARLY_MS = 60_000;
const EARLY_SHARE = 1 / 4;
/** For so long a request waits for another credential where the old one lasts still: a plugin may take a minute. */
const LONGEST_WAIT_MS = 1000;
/** So long each is used, unless the server refuses it. */
const LEAST_MS = 1000;

/** The credential of a source, obtained when it is first asked for, and anew before it ends. */
export class RenewedCredential {
  readonly #source: CredentialSource;
  readonly #now: () => number;
  #current: { credential: Credential; staleAt: number } | undefined;
  #obtaining: Promise<Credential> | undefined;

  /** @param now the time, in milliseconds since the epoch */
  constructor(source: CredentialSource, now: () => number = Date.now) {
    this.#source = source;
    this.#now = now;
  }

  /**
   * Whoever asks while one is being obtained waits for that one: not for long where there is one that lasts still. One that cannot be renewed is used as long as it lasts.
   * @param signal ends the wait, and nothing else: others may wait too
   * @throws what the source throws
   */
  async get(signal?: AbortSignal): Promise<Credential> {
    const current = this.#current;
    if (current !== undefined && this.#now() < current.staleAt) return current.credential;
    this.#obtaining ??= this.#obtain();
    const obtaining = unlessAborted(this.#obtaining, signal);
    if (current === undefined) return await obtaining;
    const left = (current.credential.expiresAt ?? 0) - this.#now();
    const patience = new AbortController();
    try {
      if (left <= 0) return await obtaining;
      const late = pause(Math.min(LONGEST_WAIT_MS, left / 2), patience.signal).then(() => current.credential);
      late.catch(() => {});
      return await Promise.race([obtaining, late]);
    } catch (error) {
      signal?.throwIfAborted();
      const { expiresAt = 0 } = current.credential;
      if (this.#current !== current || this.#now() >= expiresAt) throw error;
      return current.credential;
    } finally {
      patience.abort();
    }
  }

  /** The server has not accepted this one: the next {@link get} obtains another. Of one that has been replaced meanwhile nothing is to be said. */
  refuse(refused: Credential): void {
    if (this.#current?.credential === refused) this.#current = undefined;
  }

  async #obtain(): Promise<Credential> {
    try {
      const asked = this.#now();
      const credential = await this.#source.obtain();
      const { expiresAt = Number.POSITIVE_INFINITY } = credential;
      const early = Math.min(MOST_EARLY_MS, Math.max(0, expiresAt - asked) * EARLY_SHARE);
      // One that has ended by its own account would be obtained for each request.
      this.#current = { credential, staleAt: Math.max(expiresAt - early, this.#now() + LEAST_MS) };
      return credential;
    } finally {
      this.#obtaining = undefined;
    }
  }
}
