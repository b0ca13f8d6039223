import type { V1ContainerStateTerminated, V1Pod } from '@kubernetes/client-node';
import { LONGEST_SENT } from '../../pod/result-sidecar.ts';
import { containerStatus } from '../containers.ts';
import { grouped } from '../numbers.ts';
import type { Found } from './found.ts';
import type { SentFile } from './frame.ts';
import { isBlank } from './json.ts';
import type { Unusable } from './outputs.ts';

/**
 * What a file that the sidecar has sent is as a result.
 * @param base the container that wrote it
 * @param ended how that ended
 */
export function foundInFile(
  file: SentFile,
  pod: V1Pod,
  base: string,
  ended: V1ContainerStateTerminated | undefined,
): Found {
  switch (file.kind) {
    case 'none':
      return { kind: 'none' };
    case 'file':
      return isBlank(file.bytes) ? { kind: 'none' } : ofWhichRun(file, pod, base, ended);
    default:
      return { kind: 'unusable', ...unusableFile(file, 'return.json') };
  }
}

/**
 * @param name of the file, as people know it
 * @returns why what has been sent of a file cannot be used
 */
export function unusableFile(file: Exclude<SentFile, { kind: 'none' | 'file' }>, name: string): Unusable {
  switch (file.kind) {
    case 'long':
      return {
        sentence: `${name} has ${grouped(file.size)} bytes; up to ${grouped(LONGEST_SENT)} can be sent, which is what one log file of a node holds.`,
        remedy: `Put it where later steps can fetch it, such as a volume or an object store, and write to ${name} where that is.`,
      };
    case 'unreadable':
      return {
        sentence: `${name} cannot be read: it is of user ${file.owner}, with mode ${file.mode}, and the result’s sidecar runs as user ${file.reader}.`,
        remedy: `Have the container make it readable (chmod a+r), or give the sidecar its user: \`xcom_sidecar_container_security_context: {runAsUser: ${file.owner}}\`.`,
      };
    case 'closed':
      return {
        sentence: `${name} cannot be read: its folder is of user ${file.owner}, with mode ${file.mode}, and the result’s sidecar runs as user ${file.reader}.`,
        remedy: `Have the container leave the folder open (chmod a+x), or give the sidecar its user: \`xcom_sidecar_container_security_context: {runAsUser: ${file.owner}}\`.`,
      };
    case 'broken':
      return {
        sentence: `${name} did not come as it was sent: ${file.why}.`,
        remedy: 'Was it still being written? Else the node may keep less of a log than 10 MiB (containerLogMaxSize).',
      };
    default:
      return {
        sentence: `${name} is ${KINDS[file.kind]}.`,
        remedy: 'Have the container write a regular file.',
      };
  }
}

const KINDS = { folder: 'a folder', link: 'a symbolic link', pipe: 'a named pipe', other: 'a device or a socket' };

/** A container that was started again finds what its last run has written; that is no result of this one. All times are the node's, in whole seconds. */
function ofWhichRun(
  { bytes, changedAt, writtenAt }: Extract<SentFile, { kind: 'file' }>,
  pod: V1Pod,
  base: string,
  ended: V1ContainerStateTerminated | undefined,
): Found {
  const { restartCount = 0, lastState } = containerStatus(pod, base) ?? {};
  const content: Found = { kind: 'content', bytes };
  if (restartCount === 0 || !ended?.startedAt) return content;
  const started = secondOf(ended.startedAt);
  if (changedAt < started)
    return { kind: 'none', why: `return.json is of an earlier run of container ${base}, which was started again` };
  const remedy = 'Have the container remove it when it begins.';
  if (writtenAt < started)
    return {
      kind: 'unusable',
      sentence: `return.json was written before container ${base} was started again, and changed since (as by chmod, chown or cp -p), so that it cannot be told whether it is a result of this run.`,
      remedy,
    };
  // A run that had ended before that second cannot have written in it.
  const before = lastState?.terminated?.finishedAt;
  if (changedAt > started || (before !== undefined && secondOf(before) < started)) return content;
  return {
    kind: 'unusable',
    sentence: `return.json was written in the second in which container ${base} was started again, so that it cannot be told whether the run before has left it.`,
    remedy,
  };
}

function secondOf(time: Date | string): number {
  return Math.floor(new Date(time).getTime() / 1000);
}
