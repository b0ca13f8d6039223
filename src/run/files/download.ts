import { tmpdir } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import type { V1Pod } from '@kubernetes/client-node';
import type { StepError } from '../../github/failure.ts';
import { TooMuch, type Unpacked, Unpacking } from '../../github/workspace/unpack.ts';
import { isSameFile } from '../../github/workspace-file.ts';
import { Exec } from '../../kubernetes/exec.ts';
import { NetworkError } from '../../kubernetes/network-error.ts';
import { pause } from '../../kubernetes/pause.ts';
import { ApiError } from '../../kubernetes/status.ts';
import { RESULT_SIDECAR } from '../../pod/result.ts';
import { brief } from '../brief.ts';
import { containerEnded, containerStatus, terminated } from '../containers.ts';
import { counted } from '../numbers.ts';
import type { ObservedPod, PodView } from '../observe.ts';
import type { Step } from '../run.ts';
import { amount } from './amount.ts';
import { Archive } from './archive.ts';
import { heldWorkspace } from './held.ts';
import { Listing } from './listing.ts';
import { complaintsOf, localFault, notFetched } from './not-fetched.ts';
import { framed, LONGEST_PIECE, lastFrame } from './pieces.ts';
import { awaitingEnd, codeOfTar, releasing, sending } from './programs.ts';
import { Progress } from './progress.ts';
import { Tries } from './tries.ts';

/** The way has turned out to be slow: what was begun is begun anew, compressed. */
class Slow extends Error {}

/** What was sent has not come, or not all of it. */
class BrokenOff extends Error {}

/** What has come back. */
export interface Downloaded {
  files: number;
  bytes: number;
}

/** A way that brings less than this after the first seconds is worth compressing for, in bytes a second: busybox packs 30 MB of text in one. */
const SLOW_RATE = 12e6;
const SLOW_AFTER_MS = 1500;
/** For so long others wait while names are looked through. */
const BREATH_MS = 20;
/** Node's timers take no more, and fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** Until a connection that was cut while nothing was fetched is made again. */
const AGAIN_MS = 1000;
/** For what lets the pod end. */
const RELEASE_MS = 3000;

/** Brings files of the pod's workspace back to the job's, through the sidecar that still has it when the base container has ended. */
export class Download {
  readonly #step: Step;
  readonly #pod: ObservedPod;
  #fetching: Promise<Downloaded | undefined> | undefined;
  #released = false;
  /** Patterns that match nothing: those that had to, and others. */
  #missing = '';
  #unmatched = '';
  /** What would have replaced the file that the log is written to. */
  #logLeftOut: string | undefined;
  /** Whether the way is worth compressing for. */
  #isSlow = false;

  constructor(step: Step, pod: ObservedPod) {
    this.#step = step;
    this.#pod = pod;
  }

  /**
   * The base container has ended, well or badly.
   * @returns nothing where nothing is to come back
   * @throws StepError where what is there does not come back, or has to be there and is not
   */
  fetch(signal: AbortSignal): Promise<Downloaded | undefined> {
    this.#fetching ??= this.#fetch(signal);
    return this.#fetching;
  }

  /**
   * Fetches from a pod that something else than this step ends: a deletion, its deadline. Its node says that the base container has ended only when the sidecar has, too [measured],
   * which waits for this: the sidecar itself knows it.
   */
  async fetchIfStopped(signal: AbortSignal): Promise<void> {
    if (this.#step.inputs.files.download === undefined) return;
    const deadline = deadlineOf(this.#pod.view.pod);
    const isEnding = ({ pod }: PodView) =>
      pod.metadata?.deletionTimestamp !== undefined || deadline?.aborted || undefined;
    await this.#pod.until(isEnding, signal, deadline);
    while (this.#isThere) {
      try {
        await this.#run(awaitingEnd(), signal);
        break;
      } catch {
        await pause(AGAIN_MS, signal);
      }
    }
    if (this.#isThere) await this.fetch(signal);
  }

  async #fetch(signal: AbortSignal): Promise<Downloaded | undefined> {
    const { inputs, log } = this.#step;
    const { download } = inputs.files;
    if (download === undefined) return undefined;
    const tries = new Tries(this.#step, this.#pod, RESULT_SIDECAR, 'Download');
    try {
      for (;;) {
        if (!this.#isThere) throw this.#gone();
        const progress = new Progress(log, 'Fetching files');
        try {
          const downloaded = await this.#session(progress, signal);
          if (this.#logLeftOut !== undefined)
            log.warning(
              'Files left out',
              `download: ${JSON.stringify(this.#logLeftOut)} did not come back: here it is the container's log (log_file).`,
            );
          if (this.#unmatched !== '')
            log.warning('No such files', `download: nothing in the pod's workspace matches ${this.#unmatched}.`);
          if (this.#missing !== '')
            throw notFetched(
              `download: nothing in the pod's workspace matches ${this.#missing}, which is marked as needed (!).`,
              'Have the container write it, or take the ! away.',
              { title: 'Files missing' },
            );
          return downloaded;
        } catch (error) {
          signal.throwIfAborted();
          if (error instanceof Slow) continue;
          if (error instanceof TooMuch)
            throw notFetched(
              `The files that download names have more than ${amount(download.limitBytes)} together.`,
              'Name fewer, or raise `download_limit`.',
              { cause: error },
            );
          // What is wrong with the files themselves, or with the disk here, will be so again.
          if (!isPassing(error)) throw localFault(error);
          if ((await tries.again(error, signal)) === 'over') throw this.#gone(error);
        } finally {
          progress.end();
        }
      }
    } finally {
      if (!signal.aborted) await this.release(signal);
    }
  }

  /** Whether files may be fetched at all, asked for while there is time: the container may run for days. */
  async check(signal: AbortSignal): Promise<void> {
    const { inputs, log } = this.#step;
    if (inputs.files.download === undefined) return;
    const state = await this.#pod.until(({ pod, gone }) => {
      if (this.#isThere) return 'there';
      return gone || containerEnded(pod, this.#step.plan.base) ? 'over' : undefined;
    }, signal);
    if (state === 'over') return;
    try {
      await this.#run(['true'], signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ApiError && (error.denial !== undefined || error.reason === 'Unreachable')) throw error;
      log.debug(`The sidecar could not be reached yet: ${(error as Error).message}`);
    }
  }

  /** Nothing more is to come: lets the pod end, which waits for that. */
  async release(signal: AbortSignal): Promise<void> {
    const { log } = this.#step;
    if (heldWorkspace(this.#pod.view.pod) === undefined || this.#released || !this.#isThere) return;
    const late = AbortSignal.any([signal, AbortSignal.timeout(RELEASE_MS)]);
    try {
      await this.#run(releasing(), late);
      this.#released = true;
    } catch (error) {
      // It ends by itself when the pod's grace is over.
      log.debug(`The sidecar could not be told that it may end: ${(error as Error).message}`);
    }
  }

  async #run(command: string[], signal: AbortSignal): Promise<void> {
    const program = { container: RESULT_SIDECAR, command };
    await (await Exec.start(this.#step.client, this.#pod.identity, program, signal)).ended();
  }

  get #isThere(): boolean {
    const { pod, gone } = this.#pod.view;
    return !gone && containerStatus(pod, RESULT_SIDECAR)?.state?.running !== undefined;
  }

  #gone(cause?: unknown): StepError {
    const { pod, gone } = this.#pod.view;
    const deleted = gone || pod.metadata?.deletionTimestamp !== undefined;
    // Killed, when the grace is over; else somebody has let it end.
    const released = !deleted && terminated(pod, RESULT_SIDECAR)?.exitCode === 0;
    if (released)
      return notFetched(
        'The files that download names are not there any more: another step that followed the pod has fetched what it wanted, and has let the rest go.',
        'Fetch all in one step.',
        { cause },
      );
    const what = deleted ? 'the pod was being deleted' : 'the sidecar that holds them had ended';
    return notFetched(
      `The files that download names did not come back: ${what} before they were all here.`,
      deleted
        ? 'What deletes or evicts a pod takes its files, too: keep what has to last on a claim (`workspace_volume`), or in an object store.'
        : `The node holds them for the pod's grace after the container's end: give a longer \`termination_grace_period\`, or name fewer files.`,
      { cause },
    );
  }

  async #session(progress: Progress, signal: AbortSignal): Promise<Downloaded> {
    const { inputs, client } = this.#step;
    const { download } = inputs.files;
    const path = heldWorkspace(this.#pod.view.pod);
    if (path === undefined || download === undefined) return { files: 0, bytes: 0 };
    const { patterns, limitBytes } = download;
    const wants = (path: string) => patterns.wants(path);
    const unpacking = await Unpacking.begin(inputs.workspace, scratchOf(process.env), { limitBytes, wants });
    const listing = new Listing();
    const archive = new Archive(this.#isSlow, bytes => {
      progress.bytes += bytes.length;
      return unpacking.write(bytes);
    });
    try {
      const exec = await Exec.start(
        client,
        this.#pod.identity,
        {
          container: RESULT_SIDECAR,
          command: sending(path, patterns.roots(), this.#isSlow ? 'gzip' : 'plain'),
          stdout: async bytes => {
            const rest = listing.push(bytes);
            if (rest.length > 0) await archive.push(rest);
          },
        },
        signal,
      );
      const ended = exec.ended();
      await Promise.race([listing.whole, ended]);
      if (!listing.isWhole) throw new NetworkError(new Error('what there is was not told to the end'));
      const names = await this.#chosen(listing.names, signal);
      if (names.length === 0) {
        exec.close();
        return { files: 0, bytes: 0 };
      }
      await ask(exec, names);
      const slow = setTimeout(() => {
        if (this.#isSlow || archive.bytes > (SLOW_RATE * SLOW_AFTER_MS) / 1000) return;
        this.#isSlow = true;
        exec.close(new Slow());
      }, SLOW_AFTER_MS);
      const { exitCode, complaint, last } = await ended.finally(() => clearTimeout(slow));
      const code = codeOfTar(last);
      const why = `(exit code ${exitCode})${complaint === '' ? '' : `: ${brief(complaint)}`}`;
      if (code === undefined) throw new BrokenOff(`what was sent broke off ${why}`);
      await archive.end();
      // One for each name, and each is whole: the last of an archive that was cut between two would be missed by nobody else.
      if (code === 0 && unpacking.entries < names.length) throw new BrokenOff(`what was sent is not all of it ${why}`);
      return this.#arrived(await unpacking.finish(), progress, code === 0 ? undefined : complaint);
    } finally {
      archive.close();
      await unpacking.discard();
    }
  }

  /** A listing can be long: others have their turn meanwhile, and a cancel its effect. */
  async #chosen(names: Buffer[], signal: AbortSignal): Promise<Buffer[]> {
    const { inputs } = this.#step;
    const { patterns } = inputs.files.download ?? {};
    if (patterns === undefined) return [];
    const isLog = (path: string) =>
      inputs.logs.file !== undefined && isSameFile(path, inputs.logs.file, inputs.workspace);
    const unmatched = patterns.open();
    const chosen: Buffer[] = [];
    let since = performance.now();
    for (const name of names) {
      const path = name.toString();
      if (patterns.note(path, unmatched)) {
        if (isLog(path)) this.#logLeftOut = path;
        else chosen.push(name);
      }
      if (performance.now() - since < BREATH_MS) continue;
      await setImmediate();
      signal.throwIfAborted();
      since = performance.now();
    }
    const shown = (needed: boolean) =>
      [...unmatched]
        .filter(({ pattern }) => pattern.required === needed)
        .map(({ pattern }) => `"${pattern.glob}"`)
        .join(', ');
    this.#missing = shown(true);
    this.#unmatched = shown(false);
    return chosen;
  }

  #arrived(
    { files, bytes, refused, refusedCount }: Unpacked,
    progress: Progress,
    complaint: string | undefined,
  ): Downloaded {
    const { log, summary } = this.#step;
    const what = `${counted(files, 'file')}, ${amount(bytes)},`;
    log.line(`Fetched ${what} in ${progress.seconds.toFixed(1)} s.`);
    summary.moved(`${what} fetched in ${progress.seconds.toFixed(1)} s`);
    if (refusedCount > 0) {
      const more = refusedCount > refused.length ? `, and ${refusedCount - refused.length} more` : '';
      log.warning(
        'Files left out',
        `download: ${counted(refusedCount, 'file')} did not come back: ${refused.map(({ name, why }) => `${brief(JSON.stringify(name.replace(/^\.\//, '')))} (${brief(why)})`).join(', ')}${more}.`,
      );
    }
    if (complaint !== undefined)
      throw notFetched(
        `Not all files that download names could be read in the pod: ${complaintsOf(complaint)}.`,
        'The sidecar reads them as the container’s user where `security_context` names one (runAsUser); others have to be readable for all.',
        { title: 'Files missing' },
      );
    return { files, bytes };
  }
}

/** @returns what is aborted when the node begins to stop a pod for its age, by this machine's clock; nothing where that is far away */
function deadlineOf({ spec, status }: V1Pod): AbortSignal | undefined {
  const { activeDeadlineSeconds } = spec ?? {};
  if (activeDeadlineSeconds === undefined || status?.startTime === undefined) return undefined;
  const ms = new Date(status.startTime).getTime() + 1000 * activeDeadlineSeconds - Date.now();
  return ms > LONGEST_TIMER_MS ? undefined : AbortSignal.timeout(Math.max(0, ms));
}

function isPassing(error: unknown): boolean {
  return error instanceof BrokenOff || error instanceof NetworkError || error instanceof ApiError;
}

async function ask(exec: Exec, names: Buffer[]): Promise<void> {
  const all = Buffer.concat(names.flatMap(name => [Buffer.from('./'), name, Buffer.from([0])]));
  let count = 0;
  for (let at = 0; at < all.length; at += LONGEST_PIECE, count++)
    await exec.send(...(await framed(all.subarray(at, at + LONGEST_PIECE), false)));
  await exec.send(lastFrame(count));
}

/** @returns the runner's folder for what is on its way, which is on the disk that the workspace is on */
function scratchOf(env: NodeJS.ProcessEnv): string {
  return env['RUNNER_TEMP'] || tmpdir();
}
