import { randomBytes } from 'node:crypto';
import * as core from '@actions/core';
import { jobLogText, plainText } from './terminal.ts';

/** So many bytes may wait in the process for the reader of stdout. */
const MOST_WAITING = 256 * 1024;

/** A line of a secret that says something of it. */
const LEAST_OF_A_LINE = 4;

/**
 * The one owner of stdout.
 *
 * Text, ours or not, goes out fenced by `::stop-commands::<token>`, inside which the runner executes neither `::cmd::` (at a line's start) nor `##[cmd]` (anywhere in a line). Our own commands lift the
 * fence for themselves. The runner echoes both fence lines into the log, so the fence is set at the first text and then only touched for commands.
 *
 * The token cannot be guessed (24 random bytes) and is taken out of every text, for the runner ends the fence at any line that holds it, whatever its case (ActionCommandManager.cs).
 */
export class JobLog {
  /** What the runner was told to mask, line by line. */
  readonly masked = new Set<string>();
  readonly #token = randomBytes(24).toString('hex');
  readonly #tokenPattern = new RegExp(this.#token, 'gi');
  #fenced = false;
  #atLineStart = true;
  /** End of the unfinished line, lower case: a token that two pieces share would else slip through. */
  #lineTail = '';
  /** Whether a group is open that {@link group} has begun. */
  #inGroup = false;
  /** Whether one is that {@link section} has. */
  #inSection = false;
  #closing: Promise<void> | undefined;

  /** Prints `text` as one or more whole lines, without terminal control. */
  line(text: string): void {
    this.#leaveGroup();
    this.#finishLine();
    this.output(`${jobLogText(text)}\n`);
  }

  /** Prints text of a stream as it stands, lines whole or not. Terminal control must be gone from it (see TerminalFilter). */
  output(text: string): void {
    if (text === '') return;
    this.#raiseFence();
    let safe = text.replace(this.#tokenPattern, '***');
    const lineEnd = safe.lastIndexOf('\n');
    if (!this.#atLineStart) {
      const firstLine = safe.slice(0, this.#token.length).toLowerCase();
      if ((this.#lineTail + firstLine).includes(this.#token)) safe = `***${safe}`;
    }
    const tail = lineEnd === -1 && !this.#atLineStart ? this.#lineTail + safe : safe.slice(lineEnd + 1);
    this.#lineTail = tail.slice(1 - this.#token.length).toLowerCase();
    this.#atLineStart = safe.endsWith('\n');
    process.stdout.write(safe);
  }

  /** Whether stdout takes more without much waiting in memory. A reader that has gone takes everything. */
  get ready(): boolean {
    return process.stdout.writableLength < MOST_WAITING || process.stdout.destroyed;
  }

  /** Settles when {@link ready} holds again. */
  whenReady(): Promise<void> {
    if (this.ready) return Promise.resolve();
    return new Promise(resolve => {
      const { stdout } = process;
      const settle = () => {
        stdout.off('drain', settle).off('close', settle);
        resolve();
      };
      stdout.on('drain', settle).on('close', settle);
    });
  }

  /** @param act is called when nobody reads stdout any more */
  onReaderGone(act: (why: Error) => void): void {
    process.stdout.on('error', act);
  }

  /** One `::error` annotation. GitHub shows the first ten of a step and cuts each at 4,096 characters. */
  error(title: string, message: string): void {
    this.#leaveGroup();
    this.#command(() => core.error(plainText(message), { title: plainText(title) }));
  }

  warning(title: string, message: string): void {
    this.#leaveGroup();
    this.#command(() => core.warning(plainText(message), { title: plainText(title) }));
  }

  notice(title: string, message: string): void {
    this.#leaveGroup();
    this.#command(() => core.notice(plainText(message), { title: plainText(title) }));
  }

  /** An annotation on a place in the repository. */
  annotation(level: 'error' | 'warning' | 'notice', message: string, properties: core.AnnotationProperties): void {
    const issue = { error: core.error, warning: core.warning, notice: core.notice }[level];
    this.#command(() => issue(message, properties));
  }

  /** Begins a group of all that comes, ours and the containers', until {@link endSection}. */
  section(name: string): void {
    this.endSection();
    this.#inSection = true;
    this.#command(() => core.startGroup(jobLogText(name)));
  }

  endSection(): void {
    this.#leaveGroup();
    if (!this.#inSection) return;
    this.#inSection = false;
    this.#command(() => core.endGroup());
  }

  /** Begins a group of lines of the container's, which the log viewer folds. It knows no group in a group, so in a section it is a line. What we say ourselves ends it, for it is not to be folded away. */
  group(name: string): void {
    if (this.#inSection) {
      this.line(name);
      return;
    }
    this.#inGroup = true;
    this.#command(() => core.startGroup(name));
  }

  endGroup(): void {
    if (!this.#inGroup) return;
    this.#inGroup = false;
    this.#command(() => core.endGroup());
  }

  /** Prints `text` as whole lines, as {@link line} does, which the log viewer folds under a title. */
  folded(title: string, text: string): void {
    this.endSection();
    this.#command(() => core.startGroup(jobLogText(title)));
    this.line(text);
    this.#command(() => core.endGroup());
  }

  /** Shown when the workflow was started with debug logging; else the fence is not lifted for it. */
  debug(message: string): void {
    if (core.isDebug()) this.#command(() => core.debug(jobLogText(message)));
  }

  /**
   * Has the runner replace `secret` by `***` in everything that is printed from here on.
   * Of several lines each is masked by itself, for the log is made of lines; not a short one such as `{`, which would make every brace of the log a secret.
   */
  mask(secret: string): void {
    const lines = secret.split(/[\r\n]+/).filter(line => line.trim() !== '');
    const telling = lines.length < 2 ? lines : lines.filter(line => line.trim().length >= LEAST_OF_A_LINE);
    // A line without the control characters that never reach the log is a secret too.
    const shown = telling.map(jobLogText).filter(line => line.trim().length >= LEAST_OF_A_LINE);
    for (const line of new Set([...telling, ...shown])) {
      this.masked.add(line);
      this.#command(() => core.setSecret(line));
    }
  }

  /** Lifts the fence for good and waits until the reader of stdout has taken everything. */
  close(): Promise<void> {
    this.#closing ??= new Promise(resolve => {
      this.endSection();
      this.#finishLine();
      this.#lowerFence();
      // With an error, should the reader have gone: then there is nothing to wait for either.
      process.stdout.write('', () => resolve());
    });
    return this.#closing;
  }

  #command(issue: () => void): void {
    this.#finishLine();
    this.#lowerFence();
    issue();
  }

  #leaveGroup(): void {
    if (this.#inGroup) this.endGroup();
  }

  #finishLine(): void {
    if (!this.#atLineStart) this.output('\n');
  }

  #raiseFence(): void {
    if (this.#fenced) return;
    this.#fenced = true;
    process.stdout.write(`::stop-commands::${this.#token}\n`);
  }

  #lowerFence(): void {
    if (!this.#fenced) return;
    this.#fenced = false;
    process.stdout.write(`::${this.#token}::\n`);
  }
}
