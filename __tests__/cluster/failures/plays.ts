import type { Played } from './play.ts';
import { record } from './record.ts';
import type { Scenario } from './scenario.ts';
import { RUNS, recordTimes } from './times.ts';
import type { Topic } from './topics.ts';

/** What becomes of each scenario, for tests that ask one by one for what goes on side by side. */
export class Plays {
  readonly #topics: readonly Topic[];
  readonly #of = new Map<Scenario, PromiseSettledResult<Played>[]>();
  /** How many were added. */
  #under = 0;
  readonly #looks = new Set<() => void>();
  #complete = false;
  #cause: unknown;
  #settled = 0;

  constructor(topics: readonly Topic[]) {
    this.#topics = topics;
  }

  /** @returns once it is over, whatever became of it. */
  async add(scenario: Scenario, playing: Promise<Played>): Promise<void> {
    this.#under++;
    await Promise.allSettled([playing]).then(([result]) => {
      this.#settled++;
      this.#of.set(scenario, [...(this.#of.get(scenario) ?? []), result]);
      for (const look of [...this.#looks]) look();
    });
  }

  /**
   * No more will be added.
   * @param cause why not, where it is too early
   */
  complete(cause?: unknown): void {
    this.#complete = true;
    this.#cause = cause;
    for (const look of [...this.#looks]) look();
  }

  /** @returns all runs of one. */
  async of(scenario: Scenario): Promise<Played[]> {
    await this.#until(() => this.#isOver || this.#of.get(scenario)?.length === RUNS);
    const results = this.#of.get(scenario) ?? [];
    if (results.length < RUNS) throw new Error(`Played ${results.length} times, not ${RUNS}.`, { cause: this.#cause });
    return results.map(result => {
      if (result.status === 'rejected') throw result.reason;
      return result.value;
    });
  }

  async over(): Promise<void> {
    await this.#until(() => this.#isOver);
  }

  /** Writes what is asked to be recorded. */
  async record(): Promise<void> {
    await this.over();
    for (const { name, scenarios } of this.#topics) {
      const played = scenarios.map(scenario => [scenario.name, this.#successful(scenario)] as [string, Played[]]);
      recordTimes(played);
      record(name, played);
    }
  }

  get #isOver(): boolean {
    return this.#complete && this.#settled === this.#under;
  }

  #successful(scenario: Scenario): Played[] {
    return (this.#of.get(scenario) ?? []).flatMap(one => (one.status === 'fulfilled' ? [one.value] : []));
  }

  #until(isSo: () => boolean): Promise<void> {
    return new Promise(resolve => {
      const look = () => {
        if (!isSo()) return;
        this.#looks.delete(look);
        resolve();
      };
      this.#looks.add(look);
      look();
    });
  }
}
