import type { V1ContainerStateTerminated, V1Pod } from '@kubernetes/client-node';
import { CHECKOUT_CODES } from '../../pod/checkout.ts';
import { CHECKOUT_CONTAINER } from '../../pod/workspace.ts';
import { brief } from '../brief.ts';
import { podPath } from '../pod-path.ts';
import { type Failure, failureOf } from './failure.ts';

const { refused, noCommit, submodules, noGit, noLfs, notWritable } = CHECKOUT_CODES;
const OTHER_USER = 'Give `security_context` an `fsGroup`, or a `runAsUser` whose the volume is.';

const NO_GIT = 'Check `git_image`: it needs sh, git, and what busybox has.';

const REMEDIES: Record<number, string> = {
  [refused]:
    'Give the job `permissions: contents: read`, and leave `github_token` as it is. In a pod that has waited until the job was over the token is not valid any more.',
  [noCommit]: 'The commit may be gone by a force push: start the workflow anew, rather than again.',
  [submodules]:
    'The job’s token is for its own repository: for other private ones give `github_token` a token that may read them all, of an app or a user. Submodules are fetched by https, those of other servers without a token.',
  [noGit]: NO_GIT,
  [noLfs]: 'Take `checkout_lfs` away, or give `git_image` an image with git-lfs, as the default is.',
  [notWritable]: OTHER_USER,
};

/** @returns why the pod has not got its repository. What git said last is the last line of what it printed. */
export function notCheckedOut(pod: V1Pod, ended: V1ContainerStateTerminated): Failure {
  const failure = failureOf(pod, CHECKOUT_CONTAINER, ended);
  if (failure.reason === 'StartError') return { ...failure, remedy: NO_GIT };
  if (failure.reason !== 'ExitCode') return failure;
  const said = brief((ended.message ?? '').trim().split('\n').at(-1) ?? '').replace(/\.$/, '');
  return {
    reason: 'InitContainer',
    title: 'Repository not checked out',
    sentence: `The repository could not be checked out in pod ${podPath(pod)} (exit code ${ended.exitCode})${said === '' ? '' : `: ${said}`}.`,
    remedy: REMEDIES[ended.exitCode] ?? remedyFor(said),
  };
}

function remedyFor(said: string): string {
  if (/no space left/i.test(said)) return 'Give a larger `workspace_volume`.';
  if (/permission denied|operation not permitted/i.test(said)) return OTHER_USER;
  if (/could not resolve|connect|timed out|ssl|certificate/i.test(said))
    return 'The pod has to reach the server by itself: check the name servers, proxies and network policies of its namespace.';
  return 'The log of container pod-step-checkout may say more.';
}
