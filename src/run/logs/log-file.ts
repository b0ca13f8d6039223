import type { JobLog } from '../../github/commands.ts';
import { StepError } from '../../github/failure.ts';
import { setOutput } from '../../github/outputs.ts';
import { WorkspaceFile } from '../../github/workspace-file.ts';
import type { LaneOutput } from './lanes.ts';

const NEWLINE = 0x0a;

/** The file that `log_file` asks for: the logs as the kubelet serves them. */
export class LogFile {
  readonly #log: JobLog;
  readonly #file: WorkspaceFile;

  /** @throws StepError when it cannot be made */
  constructor(path: string, workspace: string, log: JobLog) {
    this.#log = log;
    try {
      this.#file = WorkspaceFile.create(path, workspace);
    } catch (error) {
      throw new StepError('InvalidInput', 'log_file cannot be written', `log_file: ${(error as Error).message}`);
    }
    setOutput('log_file', path);
  }

  /**
   * @param prefix goes in front of each of the container's lines
   * @param alone whether no other container's lines are in the file
   */
  container(prefix: string, alone: boolean): LaneOutput {
    return new FiledContainer(bytes => this.#write(bytes), Buffer.from(prefix), alone);
  }

  close(): void {
    this.#try(file => file.close());
  }

  #write(bytes: Uint8Array): void {
    this.#try(file => file.write(bytes));
  }

  /** A full disk is said once, by the file itself; the container’s work goes on. */
  #try(act: (file: WorkspaceFile) => void): void {
    try {
      act(this.#file);
    } catch (error) {
      this.#log.warning('Log file incomplete', `log_file: ${(error as Error).message}`);
    }
  }
}

class FiledContainer implements LaneOutput {
  midLine = false;
  readonly #write: (bytes: Uint8Array) => void;
  readonly #prefix: Buffer;
  readonly #alone: boolean;

  constructor(write: (bytes: Uint8Array) => void, prefix: Buffer, alone: boolean) {
    this.#write = write;
    this.#prefix = prefix;
    this.#alone = alone;
  }

  write(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#write(this.#prefix.length === 0 ? bytes : this.#withPrefix(bytes));
    this.midLine = bytes[bytes.length - 1] !== NEWLINE;
  }

  end(last: boolean): void {
    if (this.midLine && !(this.#alone && last)) this.write(Buffer.from('\n'));
  }

  #withPrefix(bytes: Uint8Array): Buffer {
    const parts: Uint8Array[] = this.midLine ? [] : [this.#prefix];
    for (let from = 0; from < bytes.length; ) {
      const newline = bytes.indexOf(NEWLINE, from);
      const to = newline === -1 ? bytes.length : newline + 1;
      parts.push(bytes.subarray(from, to));
      if (to < bytes.length) parts.push(this.#prefix);
      from = to;
    }
    return Buffer.concat(parts);
  }
}
