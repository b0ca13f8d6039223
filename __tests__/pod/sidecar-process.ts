import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { RESULT_SIDECAR } from '../../src/pod/result.ts';
import { resultSidecar } from '../../src/pod/result-sidecar.ts';
import { FrameReader } from '../../src/run/result/frame.ts';

const { initContainers } = resultSidecar({ spec: { containers: [] } }, 'base', [], { image: 'x' }) as {
  initContainers: [{ command: [string, string, string] }];
};
const [, , SCRIPT] = initContainers[0].command;

/** It tells of each time that it begins to wait, and then does not wait long. */
const QUICK = 'sleep() { echo waits >&3; command sleep 0.05; }\n';

/** The shells of this machine, of which `sh` is one. */
export const SHELLS = [['sh'], ['bash', '--posix'], ['busybox', 'sh']].filter(
  ([file = '', ...args]) => spawnSync(file, [...args, '-c', 'exit 0']).status === 0,
);

export interface SidecarOptions {
  shell?: string[];
  /** Where the files are. */
  folder: string;
  /** The file that tells it not to wait. */
  asked?: string;
  longest?: number;
  files?: string[];
  /** Whose process it is, where this one is root's. */
  uid?: number;
}

/** The sidecar's script, run by a shell of this machine. */
export class SidecarProcess {
  /** Reads what it prints, as the action does. */
  readonly frames = new FrameReader();
  /** All that it has printed. */
  printed = '';
  complaints = '';
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown[]>;
  #waits = 0;

  constructor({ shell = ['sh'], folder, asked = '/nonexistent', longest = 7_000_000, ...more }: SidecarOptions) {
    const { files = ['return.json'], uid } = more;
    const [file = 'sh', ...first] = shell;
    const args = [...first, '-c', QUICK + SCRIPT, RESULT_SIDECAR, folder, asked, String(longest), ...files];
    this.#child = spawn(file, args, {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      ...(uid !== undefined && { uid }),
    });
    this.#child.stderr?.setEncoding('utf8').on('data', text => {
      this.complaints += text;
    });
    (this.#child.stdio[3] as NodeJS.ReadableStream).setEncoding('utf8').on('data', text => {
      this.#waits += text.split('\n').length - 1;
      this.#child.emit('waits');
    });
    this.#ended = once(this.#child, 'close');
  }

  /** Takes what it prints; until then it is held up as soon as the pipe is full. */
  listen(): this {
    this.#child.stdout?.on('data', bytes => {
      this.printed += bytes.toString('latin1');
      this.frames.push(bytes);
      this.#child.emit('prints');
    });
    return this;
  }

  /** Settles when it has begun to wait so many times more: it has looked around in between. */
  async waits(times = 1): Promise<void> {
    for (const until = this.#waits + times; this.#waits < until; ) await once(this.#child, 'waits');
  }

  /** Settles when it has begun to print, though nobody listens. */
  async prints(): Promise<void> {
    if (this.#child.stdout?.readableLength === 0) await once(this.#child.stdout, 'readable');
  }

  /** Settles when a whole frame has come. */
  async sends(): Promise<void> {
    while (this.frames.files === undefined) await once(this.#child, 'prints');
  }

  /** What a node does when the other containers have ended. */
  tell(): void {
    this.#child.kill('SIGTERM');
  }

  /** @returns its exit code, when it has ended */
  async ends(): Promise<number | null> {
    await this.#ended;
    return this.#child.exitCode;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
