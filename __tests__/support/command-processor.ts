import { SecretMasker } from './secret-masker.ts';
import { parseCommand, property, registeredCommands, type WorkflowCommand } from './workflow-commands.ts';

export interface Annotation {
  level: 'error' | 'warning' | 'notice';
  title?: string;
  message: string;
  /** All properties of the command: file, line, endLine, col, endColumn, title. */
  properties: Record<string, string>;
}

export interface ExecutedCommand extends WorkflowCommand {
  /** Why the runner refused or failed it; the step fails then. */
  error?: string;
}

export interface ProcessedLine {
  /** What the job log shows for it, masked; empty for a silent command. */
  shown: string[];
  command?: ExecutedCommand;
}

export interface CommandOptions {
  secrets?: readonly string[];
  /** RUNNER_DEBUG: `::debug::` is shown only then. */
  debug?: boolean;
  /** ACTIONS_ALLOW_UNSECURE_COMMANDS: allow set-env and add-path. */
  allowUnsecureCommands?: boolean;
}

/** ExecutionContext.cs cuts the message of an annotation here. */
const longestAnnotation = 4096;
/** ActionCommandManager.cs masks a stop token only when it is longer than this. */
const shortestMaskedToken = 7;

/** What the runner does with each line of a step's output (actions/runner, src/Runner.Worker/ActionCommandManager.cs, Handlers/OutputManager.cs). */
export class CommandProcessor {
  readonly masker = new SecretMasker();
  readonly commands: ExecutedCommand[] = [];
  readonly annotations: Annotation[] = [];
  readonly masks: string[] = [];
  readonly outputs: Record<string, string> = {};
  readonly state: Record<string, string> = {};
  readonly env: Record<string, string> = {};
  readonly paths: string[] = [];
  /** A command that could not be processed fails the step, whatever its exit code (CommandResult). */
  failed = false;

  readonly #registered = new Set<string>(registeredCommands);
  readonly #options: CommandOptions;
  #stopToken: string | undefined;
  #echo = false;

  constructor(options: CommandOptions = {}) {
    this.#options = options;
    for (const secret of options.secrets ?? []) this.masker.add(secret);
  }

  get stopped(): boolean {
    return this.#stopToken !== undefined;
  }

  line(raw: string): ProcessedLine {
    const command = parseCommand(raw, this.#registered);
    if (!command) return this.#shown([raw]);
    if (this.#stopToken !== undefined) {
      if (command.name !== this.#stopToken.toLowerCase()) return this.#shown([raw]);
      this.#registered.delete(command.name);
      this.#stopToken = undefined;
      this.commands.push(command);
      return this.#shown([raw], command);
    }
    const executed: ExecutedCommand = command;
    this.commands.push(executed);
    const echoed = this.#echo && !omitEcho.has(command.name) ? [raw] : [];
    try {
      return this.#shown([...echoed, ...this.#execute(command, raw)], executed);
    } catch (error) {
      executed.error = error instanceof Error ? error.message : String(error);
      const quoted = omitEcho.has(command.name) ? command.name : raw;
      return this.#shown(
        [...echoed, ...this.fail(`Unable to process command '${quoted}' successfully.`, executed.error)],
        executed,
      );
    }
  }

  /** Errors of the runner itself: annotations, and the step fails. Returns the lines the log shows. */
  fail(...messages: string[]): string[] {
    this.failed = true;
    return messages.map(message => this.#issue('error', message, {}));
  }

  /** Returns what the log shows. */
  #execute(command: WorkflowCommand, raw: string): string[] {
    switch (command.name) {
      case 'stop-commands':
        return this.#stop(command.data, raw);
      case 'error':
      case 'warning':
      case 'notice':
        return [this.#issue(command.name, command.data, command.properties)];
      case 'debug':
        return this.#options.debug ? [`##[debug]${command.data}`] : [];
      case 'group':
        return [`##[group]${command.data}`];
      case 'endgroup':
        return ['##[endgroup]'];
      case 'echo':
        return this.#setEcho(command.data);
      case 'add-mask':
        return this.#mask(command.data);
      case 'set-output':
        this.outputs[named(command)] = command.data;
        return [];
      case 'save-state':
        this.state[named(command)] = command.data;
        return [];
      case 'set-env':
        this.#refuseUnsecure(command.name);
        this.env[named(command)] = command.data;
        return [];
      case 'add-path':
        this.#refuseUnsecure(command.name);
        this.paths.push(command.data);
        return [];
      default: // add-matcher and remove-matcher: recorded; no matcher is run here
        return [];
    }
  }

  /** ValidateStopToken, since actions/runner#1371. */
  #stop(token: string, raw: string): string[] {
    if (token === '' || this.#registered.has(token.toLowerCase()) || token.toLowerCase() === 'pause-logging') {
      throw new Error(
        "You cannot use a endToken that is an empty string, the string 'pause-logging', or another workflow command.",
      );
    }
    this.#stopToken = token;
    this.#registered.add(token.toLowerCase());
    if (token.length >= shortestMaskedToken) this.masker.addToken(token);
    return [raw];
  }

  #issue(level: Annotation['level'], data: string, properties: Record<string, string>): string {
    const title = Object.entries(properties).find(([key]) => key.toLowerCase() === 'title')?.[1];
    const message = this.masker.mask(data.slice(0, longestAnnotation));
    this.annotations.push({
      level,
      ...(title !== undefined && { title: this.masker.mask(title) }),
      message,
      properties,
    });
    return `##[${level}]${data}`;
  }

  #setEcho(data: string): string[] {
    const value = data.trim().toUpperCase();
    if (value !== 'ON' && value !== 'OFF')
      throw new Error(`Invalid echo command value. Possible values can be: 'on', 'off'. Current value is: '${data}'.`);
    this.#echo = value === 'ON';
    return [];
  }

  #mask(data: string): string[] {
    if (data.trim() === '') {
      return [this.#issue('warning', "Can't add secret mask for empty string in ##[add-mask] command.", {})];
    }
    this.masks.push(data);
    this.masker.add(data);
    return this.#echo ? ['::add-mask::***'] : [];
  }

  /** CVE-2020-15228. */
  #refuseUnsecure(name: string): void {
    if (this.#options.allowUnsecureCommands) return;
    throw new Error(
      `The \`${name}\` command is disabled. Please upgrade to using Environment Files or opt into unsecure command execution by setting the \`ACTIONS_ALLOW_UNSECURE_COMMANDS\` environment variable to \`true\`.`,
    );
  }

  #shown(lines: string[], command?: ExecutedCommand): ProcessedLine {
    return { shown: lines.map(line => this.masker.mask(line)), ...(command && { command }) };
  }
}

const omitEcho = new Set(['add-mask', 'debug', 'error', 'warning', 'notice', 'stop-commands']);

function named(command: WorkflowCommand): string {
  const name = property(command, 'name');
  if (!name) throw new Error(`Required field 'name' is missing in ##[${command.name}] command.`);
  return name;
}
