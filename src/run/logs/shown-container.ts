import type { JobLog } from '../../github/commands.ts';
import { TerminalFilter } from '../../github/terminal.ts';
import { type ContainerCommand, ContainerCommands } from './container-commands.ts';
import type { LaneOutput } from './lanes.ts';
import { TextLines } from './text-lines.ts';

/** In characters. */
const LONGEST_HELD = 64 * 1024;

/** How a container's log is printed. */
export interface Appearance {
  /** Goes in front of each line. */
  prefix: string;
  /** Whether it is the only one that is shown, so that nobody waits for the end of a line of its. */
  alone: boolean;
  /** Whether its `::error::` and the like become annotations. */
  annotations: boolean;
}

/** Prints one container's log. A character can be split between two chunks; what is no UTF-8 becomes U+FFFD. */
export class ShownContainer implements LaneOutput {
  midLine = false;
  /** The unfinished line, where others would have to wait for its end. */
  #held = '';
  readonly #log: JobLog;
  readonly #prefix: string;
  readonly #alone: boolean;
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  readonly #filter = new TerminalFilter();
  readonly #lines = new TextLines();
  readonly #commands: ContainerCommands | undefined;

  constructor(log: JobLog, { prefix, alone, annotations }: Appearance) {
    this.#log = log;
    this.#prefix = prefix;
    this.#alone = alone;
    this.#commands = annotations ? new ContainerCommands() : undefined;
  }

  write(bytes: Uint8Array): void {
    const text = this.#filter.push(this.#decoder.decode(bytes, { stream: true }));
    if (this.#commands === undefined) this.#show(text);
    else for (const piece of this.#lines.push(text)) this.#printOrDo(piece, this.#commands);
  }

  end(last: boolean): void {
    const text = this.#filter.push(this.#decoder.decode()) + this.#filter.end();
    if (this.#commands === undefined) this.#show(text);
    else for (const piece of [...this.#lines.push(text), ...this.#lines.end()]) this.#printOrDo(piece, this.#commands);
    this.#print(this.#held);
    this.#held = '';
    if (this.midLine && !(this.#alone && last)) this.#print('\n');
    this.midLine = false;
    if (this.#commands) this.#endCommands(this.#commands, last);
  }

  #endCommands(commands: ContainerCommands, last: boolean): void {
    if (commands.closeGroup()) this.#log.endGroup();
    const { notShown } = commands;
    if (last && notShown > 0)
      this.#log.line(
        `${notShown} more ${notShown === 1 ? 'annotation' : 'annotations'} of the container’s stayed text: GitHub shows ten of each kind for a step.`,
      );
  }

  #printOrDo({ text, command }: { text: string; command: boolean }, commands: ContainerCommands): void {
    const taken = command ? commands.take(text) : undefined;
    if (taken === undefined) this.#show(text);
    else carryOut(taken, this.#log);
  }

  /** Of several containers one prints whole lines, as far as they are not too long to be held: a progress bar that never ends its line would else keep the others waiting. */
  #show(text: string): void {
    const all = this.#held + text;
    const end = this.#alone || all.length > LONGEST_HELD ? all.length : all.lastIndexOf('\n') + 1;
    this.#held = all.slice(end);
    this.#print(all.slice(0, end));
  }

  #print(text: string): void {
    if (text === '') return;
    this.#log.output(this.#prefix === '' ? text : withPrefix(text, this.#prefix, this.midLine));
    this.midLine = !text.endsWith('\n');
  }
}

function withPrefix(text: string, prefix: string, midLine: boolean): string {
  const lines = text.replace(/\n(?!$)/g, `\n${prefix}`);
  return midLine ? lines : prefix + lines;
}

function carryOut(command: ContainerCommand, log: JobLog): void {
  if (command.kind === 'annotation') log.annotation(command.level, command.message, command.properties);
  else if (command.kind === 'group') log.group(command.name);
  else log.endGroup();
}
