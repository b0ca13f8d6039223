/** When GitHub is to be asked again; `undefined` where the answer is not about that. */
export type LimitSeconds = number | undefined;

/** What GitHub wants of clients that it does not tell for how long (docs.github.com, "Rate limits for the REST API"). */
const UNTOLD_SECONDS = 60;
/** So long is waited in all: the next sweep has a new budget. */
const MOST_SECONDS = 60;

/**
 * @param headers by their names in lower case
 * @param message of the answer
 * @param now seconds since the epoch
 * @returns for how many seconds GitHub does not want to be asked, be it by its primary limit or by a secondary one
 */
export function limitSeconds(
  status: number,
  headers: Record<string, string | number | undefined>,
  message: string,
  now: number,
): LimitSeconds {
  if (status !== 403 && status !== 429) return undefined;
  const retryAfter = Number(headers['retry-after'] ?? Number.NaN);
  if (retryAfter >= 0) return Math.max(1, retryAfter);
  const reset = Number(headers['x-ratelimit-reset'] ?? Number.NaN);
  if (String(headers['x-ratelimit-remaining']) === '0' && reset > 0) return Math.max(1, Math.ceil(reset - now));
  return status === 429 || /rate limit/i.test(message) ? UNTOLD_SECONDS : undefined;
}

/** One budget of waiting for all that is asked at the same time. */
export class Patience {
  /** In ms, as `now` is. */
  #until = 0;
  #leftMs = 1000 * MOST_SECONDS;
  #over = false;

  /** Whether GitHub wants more patience than there is. */
  get over(): boolean {
    return this.#over;
  }

  /**
   * Nobody asks before so many seconds are over.
   * @returns whether that is news and can be borne
   */
  limit(seconds: number, now: number): boolean {
    const until = now + 1000 * seconds;
    const from = Math.max(now, this.#until);
    if (until <= from || this.#over) return false;
    this.#leftMs -= until - from;
    this.#over = this.#leftMs < 0;
    if (!this.#over) this.#until = until;
    return !this.#over;
  }

  /** @returns ms to wait before the next question */
  waitMs(now: number): number {
    return Math.max(0, this.#until - now);
  }
}
