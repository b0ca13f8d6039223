import type { JobLog } from '../../github/commands.ts';
import { TerminalFilter } from '../../github/terminal.ts';
import { type ContainerCommand, ContainerCommands } from './container-commands.ts';
import type { LaneOutput } from './lanes.ts';
import { TextLines } from './text-lines.ts';

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
    if (this.#commands === undefined) this.#print(text);
    else for (const piece of this.#lines.push(text)) this.#printOrDo(piece, this.#commands);
  }

  end(): void {
    const text = this.#filter.push(this.#decoder.decode()) + this.#filter.end();
    if (this.#commands === undefined) this.#print(text);
    else this.#endCommands(text, this.#commands);
    if (this.midLine && !this.#alone) this.#print('\n');
  }

  #endCommands(text: string, commands: ContainerCommands): void {
    for (const piece of [...this.#lines.push(text), ...this.#lines.end()]) this.#printOrDo(piece, commands);
    // Else what follows, the reason of a failure perhaps, would be folded away.
    if (commands.openGroup) this.#log.endGroup();
    const { notShown } = commands;
    if (notShown > 0)
      this.#log.line(
        `${notShown} more ${notShown === 1 ? 'annotation' : 'annotations'} of the container’s stayed text: GitHub shows ten of each kind for a step.`,
      );
  }

  #printOrDo({ text, command }: { text: string; command: boolean }, commands: ContainerCommands): void {
    const taken = command ? commands.take(text) : undefined;
    if (taken === undefined) this.#print(text);
    else carryOut(taken, this.#log);
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
