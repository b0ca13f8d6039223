/** After so many seconds the log says that the pod has not started; and after the last, each time so many more are over. */
const AFTER_SECONDS = [30, 120, 300, 600, 1200, 1800, 3600] as const;

/** Reminds of something that goes on, at growing intervals. */
export class Reminders {
  readonly #remind: (seconds: number) => void;
  #timer: NodeJS.Timeout | undefined;

  /** @param remind called with how long it has gone on, in seconds */
  constructor(remind: (seconds: number) => void) {
    this.#remind = remind;
    this.#next(0, 0);
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #next(index: number, elapsed: number): void {
    const last = AFTER_SECONDS[AFTER_SECONDS.length - 1] ?? 0;
    const due = AFTER_SECONDS[index] ?? elapsed + last;
    this.#timer = setTimeout(
      () => {
        this.#remind(due);
        this.#next(index + 1, due);
      },
      1000 * (due - elapsed),
    );
  }
}
