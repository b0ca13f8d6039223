import { StepError } from '../../github/failure.ts';
import { excluding } from '../../github/workspace/exclude.ts';
import { FileChanged, tarOf } from '../../github/workspace/tar.ts';
import { type Survey, surveyOf } from '../../github/workspace/tree.ts';
import { Exec } from '../../kubernetes/exec.ts';
import { NetworkError } from '../../kubernetes/network-error.ts';
import { ApiError } from '../../kubernetes/status.ts';
import type { JsonObject } from '../../pod/json.ts';
import { quantityBytes } from '../../pod/quantity.ts';
import { howToReceive, UPLOAD_CONTAINER, WORKSPACE_VOLUME } from '../../pod/workspace.ts';
import { brief } from '../brief.ts';
import { containerEnded, containerStatus, terminated } from '../containers.ts';
import { counted } from '../numbers.ts';
import type { ObservedPod } from '../observe.ts';
import type { Step } from '../run.ts';
import { amount } from './amount.ts';
import { framed, lastFrame } from './pieces.ts';
import { CUT_SHORT, receiving } from './programs.ts';
import { Progress } from './progress.ts';
import { Tries } from './tries.ts';

/** Where the way takes less than this, in bytes a second, it is worth compressing for: to compress takes a processor that takes 50 to 110 MB in one [measured]. */
const SLOW_RATE = 25e6;
/** After so many bytes, or milliseconds, it is known how fast it is. */
const SAMPLE_BYTES = 8 * 1024 * 1024;
const SAMPLE_MS = 1000;

/**
 * Looks at what is to be uploaded, before anything is created.
 * @throws StepError where it cannot be read, or has no room
 */
export async function surveyed({ inputs, plan, log }: Pick<Step, 'inputs' | 'plan' | 'log'>): Promise<Survey> {
  const survey = await surveyOf(inputs.workspace, excluding(inputs.files.exclude)).catch((error: Error) => {
    throw new StepError('InvalidInput', 'Workspace not readable', `workspace: ${error.message}`);
  });
  const { unreadable, unreadableCount, leftOut, bytes, files, folders, links } = survey;
  if (unreadableCount > 0) {
    const more = unreadableCount > unreadable.length ? `, and ${unreadableCount - unreadable.length} more` : '';
    throw new StepError(
      'InvalidInput',
      'Workspace not readable',
      `workspace: ${counted(unreadableCount, 'file')} cannot be read: ${unreadable.join(', ')}${more}.`,
      { remedy: 'Leave them out by `workspace_exclude`, or change their permissions.' },
    );
  }
  const room = roomOf(plan.pod);
  if (room !== undefined && bytes > room)
    throw new StepError(
      'InvalidInput',
      'Workspace too large',
      `workspace: ${counted(files, 'file')}, ${amount(bytes)}, and the volume has room for ${amount(room)}.`,
      { remedy: 'Leave some out by `workspace_exclude`, or give a larger `workspace_volume`.' },
    );
  if (files + folders + links === 0)
    log.warning(
      'Nothing to upload',
      'workspace: the job’s workspace is empty, or all in it is left out. actions/checkout fills it, in a step before this one.',
    );
  if (leftOut > 0)
    log.line(`Not uploaded: ${counted(leftOut, 'socket, pipe or device', 'sockets, pipes and devices')}.`);
  return survey;
}

/** @returns what the workspace's emptyDir may hold, in bytes */
function roomOf({ spec }: Step['plan']['pod']): number | undefined {
  const volume = spec?.volumes?.find(({ name }) => name === WORKSPACE_VOLUME);
  const size = volume?.emptyDir?.sizeLimit;
  return size === undefined ? undefined : quantityBytes(String(size));
}

/**
 * Brings the job's workspace into the pod, as long as that waits for it.
 * @throws StepError where it cannot be brought
 */
export async function upload(step: Step, pod: ObservedPod, signal: AbortSignal): Promise<void> {
  const waits = await pod.until(({ pod: now, gone }) => {
    if (gone || containerEnded(now, UPLOAD_CONTAINER) || containerEnded(now, step.plan.base)) return 'over';
    return containerStatus(now, UPLOAD_CONTAINER)?.state?.running ? 'waits' : undefined;
  }, signal);
  // What became of the pod is for who waits for its start.
  if (waits === 'over') return;
  const tries = new Tries(step, pod, UPLOAD_CONTAINER, 'Upload');
  for (;;) {
    const progress = new Progress(step.log, 'Uploading the workspace', step.survey?.bytes);
    try {
      const sent = await session(step, pod, progress, signal);
      const { seconds } = progress;
      const what = inAll(step.survey, sent);
      step.log.line(`Uploaded the workspace: ${what} in ${seconds.toFixed(1)} s.`);
      step.summary.moved(`${what} uploaded in ${seconds.toFixed(1)} s`);
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof FileChanged && tries.count >= 3)
        throw new StepError('Upload', 'Workspace not uploaded', `workspace: ${error.message}`, {
          remedy: 'Have nothing write to the workspace while it is uploaded, or leave that out by `workspace_exclude`.',
        });
      if ((await tries.again(localFault(error), signal)) === 'over') return;
    } finally {
      progress.end();
    }
  }
}

function inAll(survey: Survey | undefined, { bytes, sent }: { bytes: number; sent: number }): string {
  const whole = survey ? `${counted(survey.files, 'file')}, ${amount(survey.bytes)},` : amount(bytes);
  return sent < 0.9 * bytes ? `${whole} (${amount(sent)} on the way)` : whole;
}

/** What was sent has not arrived, or not all of it. */
class NotWhole extends Error {}

/** What cannot be read here will be so again. */
function localFault(error: unknown): unknown {
  const isPassing = [NotWhole, FileChanged, NetworkError, ApiError].some(kind => error instanceof kind);
  if (isPassing || error instanceof StepError || !(error instanceof Error)) return error;
  return new StepError('Upload', 'Workspace not uploaded', `workspace: ${error.message}`, { cause: error });
}

/** One connection. */
async function session(
  { inputs, plan, client }: Step,
  pod: ObservedPod,
  progress: Progress,
  signal: AbortSignal,
): Promise<{ bytes: number; sent: number }> {
  const { path = '' } = inputs.files.workspace ?? {};
  const exec = await Exec.start(
    client,
    pod.identity,
    {
      container: UPLOAD_CONTAINER,
      command: receiving(path, howToReceive(plan.pod as unknown as JsonObject, plan.base)),
    },
    signal,
  );
  let sent = 0;
  const send = async () => {
    let count = 0;
    const start = performance.now();
    let isSlow: boolean | undefined;
    for await (const piece of tarOf(inputs.workspace, excluding(inputs.files.exclude))) {
      count++;
      const [line, content] = await framed(piece, isSlow ?? false);
      await exec.send(line, content);
      sent += line.length + content.length;
      const [gone, ms] = [sent - exec.waiting, performance.now() - start];
      if (isSlow === undefined && (gone >= SAMPLE_BYTES || ms >= SAMPLE_MS)) isSlow = gone / ms < SLOW_RATE / 1000;
      progress.bytes += piece.length;
    }
    await exec.send(lastFrame(count));
  };
  // Where the program has ended before, its end says why.
  send().catch(error => exec.close(error));
  const { exitCode, complaint } = await exec.ended();
  if (exitCode === 0) return { bytes: progress.bytes, sent };
  // Of a program that was cut off there is not much to say: it is begun anew.
  if (exitCode === CUT_SHORT || exitCode > 128) throw new NotWhole('what arrived is not what was sent');
  const inContainer = terminated(pod.view.pod, UPLOAD_CONTAINER);
  throw new StepError(
    'Upload',
    'Workspace not uploaded',
    `The workspace could not be unpacked in the pod (exit code ${exitCode})${complaint === '' ? '' : `: ${brief(firstLine(complaint))}`}.`,
    { remedy: remedyFor(complaint, inContainer !== undefined) },
  );
}

function firstLine(text: string): string {
  return (text.trim().split('\n')[0] ?? '').slice(0, 300);
}

function remedyFor(complaint: string, ended: boolean): string {
  if (/no space left/i.test(complaint))
    return 'Give a larger `workspace_volume`, or leave some out by `workspace_exclude`.';
  if (/permission denied|operation not permitted/i.test(complaint))
    return 'The container’s user may not write to the volume: give `security_context` an `fsGroup`, or a `runAsUser` whose it is.';
  if (/read-only file system|resource busy/i.test(complaint))
    return 'The volume cannot be written to, or something of the image is in the way: give another `workspace_volume`, or a `workspace_path` where the image has nothing.';
  if (/^sh: |applet not found/i.test(complaint))
    return 'Check `helper_image`: it needs sh, tar, gzip, dd, mkfifo and find, as busybox has them.';
  return ended ? 'Its log may say more.' : 'Check `helper_image` and `workspace_volume`.';
}
