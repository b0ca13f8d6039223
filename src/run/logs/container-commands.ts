import { jobLogText } from '../../github/terminal.ts';

/**
 * GitHub's own bound for a message; the others are bounds of good sense. What is longer is not cut: the runner masks secrets in what it is given, and half of one it would not know. A message or a group stays text then,
 * a title or a file is left out.
 */
const LONGEST = { message: 4096, title: 255, file: 1024, group: 1024 };
/** GitHub shows ten of each level for a step. The step's own errors and warnings are to be among them. */
const MOST_SHOWN = { error: 8, warning: 8, notice: 10 };
/** Each lifts the log's fence once: a log full of groups would be three times as long, and nobody opens so many. */
const MOST_GROUPS = 1000;

export type AnnotationLevel = keyof typeof MOST_SHOWN;

/** What of an annotation stands beside its message, as `@actions/core` names it. */
export interface AnnotationProperties {
  title?: string;
  file?: string;
  startLine?: number;
  endLine?: number;
  startColumn?: number;
  endColumn?: number;
}

/** The commands that a container can give. Their texts are plain: no control characters but tabs and, in a message, line ends. */
export type ContainerCommand =
  | { kind: 'annotation'; level: AnnotationLevel; message: string; properties: AnnotationProperties }
  | { kind: 'group'; name: string }
  | { kind: 'endgroup' };

/** Decides which of a container's commands are carried out; all other lines stay text. */
export class ContainerCommands {
  #taken = { error: 0, warning: 0, notice: 0 };
  #groups = 0;
  /** How many ends of groups are awaited. The log viewer knows no group in a group: the inner one ends the outer one, whose own end then ends nothing. */
  #unended = 0;
  #openGroup = false;
  #notShown = 0;

  /** Until a line `::<this>::` the container wants nothing to be carried out: it shows text of somebody else's. */
  #stoppedBy: string | undefined;

  /** Whether the last group that was begun has no end yet. */
  get openGroup(): boolean {
    return this.#openGroup;
  }

  /** The container's log is over. @returns whether the last group that was begun had no end yet */
  closeGroup(): boolean {
    const wasOpen = this.#openGroup;
    this.#openGroup = false;
    this.#unended = 0;
    this.#stoppedBy = undefined;
    return wasOpen;
  }

  /** How many annotations have stayed text, since GitHub would not have shown them, or not the step's own any more. */
  get notShown(): number {
    return this.#notShown;
  }

  /**
   * @param line one whole line, with its end or without
   * @returns what it commands; `undefined` leaves it text
   */
  take(line: string): ContainerCommand | undefined {
    if (this.#stopped(line)) return undefined;
    const command = parseContainerCommand(line);
    switch (command?.kind) {
      case 'annotation':
        if (this.#taken[command.level] === MOST_SHOWN[command.level]) {
          this.#notShown++;
          return undefined;
        }
        this.#taken[command.level]++;
        return command;
      case 'group':
        if (this.#groups === MOST_GROUPS) return undefined;
        this.#groups++;
        this.#unended++;
        this.#openGroup = true;
        return command;
      case 'endgroup':
        // Perhaps a group of somebody else's, or one that was too many.
        if (this.#unended === 0) return undefined;
        this.#unended--;
        this.#openGroup = false;
        return command;
      default:
        return undefined;
    }
  }

  /** Obeys `::stop-commands::<token>` and `::<token>::`, which stay text. */
  #stopped(line: string): boolean {
    const [, name = '', data = ''] = STOP.exec(line.replace(/\n$/, '')) ?? [];
    if (this.#stoppedBy !== undefined) {
      if (name.toLowerCase() === this.#stoppedBy) this.#stoppedBy = undefined;
      return true;
    }
    const token = name.toLowerCase() === 'stop-commands' ? data.trim().toLowerCase() : '';
    if (token !== '') this.#stoppedBy = token;
    return token !== '';
  }
}

/**
 * Reads a line as the runner would (actions/runner, src/Runner.Common/ActionCommand.cs), and only in the newer of its two forms, `::name key=value,key=value::text` at the line's start.
 * @returns the command if it is one of those that a container can give, and says something
 */
export function parseContainerCommand(line: string): ContainerCommand | undefined {
  const [, name, properties, data] = COMMAND.exec(line.replace(/\n$/, '')) ?? [];
  switch (name?.toLowerCase()) {
    case 'error':
    case 'warning':
    case 'notice': {
      const message = plain(unescapeData(data ?? ''));
      if (message.trim() === '' || message.length > LONGEST.message) return undefined;
      const level = name?.toLowerCase() as AnnotationLevel;
      return { kind: 'annotation', level, message, properties: readProperties(properties ?? '') };
    }
    case 'group':
      return readGroup(oneLine(unescapeData(data ?? '')));
    case 'endgroup':
      return { kind: 'endgroup' };
    default:
      return undefined;
  }
}

/** A name that does not end at a space is none of the five; the properties end at the first `::`, which their values have escaped. */
const COMMAND = /^[\p{Zs}\u2028\u2029\t\v\f\u0085]*::([a-z]+)(?: ((?:(?!::).)*))?::(.*)$/isu;

/** `::stop-commands::<token>`, or what may be `::<token>::`. */
const STOP = /^[\p{Zs}\u2028\u2029\t\v\f\u0085]*::([^:\s]+)::(.*)$/su;

function readGroup(name: string): ContainerCommand | undefined {
  return name.length > LONGEST.group ? undefined : { kind: 'group', name };
}

function readProperties(text: string): AnnotationProperties {
  const values = new Map<string, string>();
  for (const pair of text.trim().split(',')) {
    // .NET's Split into two drops what is empty: every `=` before the name, and before the value.
    const [, key, value] = /^=*([^=]+)=+([^=].*)$/s.exec(pair) ?? [];
    // The runner looks names up without case; the last of two counts.
    if (key !== undefined && value !== undefined) values.set(key.toLowerCase(), unescapeProperty(value));
  }
  // An `=` at its beginning, be it behind a blank, would not come through a second time.
  const title = oneLine(values.get('title') ?? '').replace(/^[=\s]+/, '');
  const file = readFile(values.get('file') ?? '');
  return {
    ...(title !== '' && title.length <= LONGEST.title && { title }),
    ...(file !== undefined && { file }),
    ...number('startLine', values.get('line')),
    ...number('endLine', values.get('endline')),
    ...number('startColumn', values.get('col')),
    ...number('endColumn', values.get('endcolumn')),
  };
}

/** The runner makes a path of it, and fails the step where it cannot: one with a control character is left out. */
function readFile(path: string): string | undefined {
  if (path.trim() === '' || path.length > LONGEST.file || /\p{Cc}/u.test(path)) return undefined;
  // White space at the end would not come through a second time.
  return path.trimEnd();
}

/** Counted from 1. */
function number(name: keyof AnnotationProperties, text: string | undefined): AnnotationProperties {
  return /^\s*0*[1-9][0-9]{0,8}\s*$/.test(text ?? '') ? { [name]: Number(text) } : {};
}

/** `%25` last, so that `%250A` is `%0A` and no line end. In capitals alone, as the runner has them. */
function unescapeData(text: string): string {
  return text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
}

function unescapeProperty(text: string): string {
  const rest = text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%3A', ':').replaceAll('%2C', ',');
  return rest.replaceAll('%25', '%');
}

/** Annotations show no colours, which are all that is left of terminal control. */
function plain(text: string): string {
  return jobLogText(text).replace(/[^\P{Cc}\t\n]\[[0-9;:]*m/gu, '');
}

/** Blanks within stay as they are: a secret may have them. */
function oneLine(text: string): string {
  return plain(text)
    .replace(/[\t\n]/g, ' ')
    .trim();
}
