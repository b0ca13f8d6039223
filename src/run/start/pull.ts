import type { V1ContainerStatus, V1Pod } from '@kubernetes/client-node';
import { withRemedy } from '../../github/failure.ts';
import { SAME_TIME_MS } from '../../kubernetes/events.ts';
import { RESULT_SIDECAR } from '../../pod/result.ts';
import { CHECKOUT_CONTAINER, UPLOAD_CONTAINER } from '../../pod/workspace.ts';
import { pullFault } from '../pull-fault.ts';
import { explainMissing, type Missing, missingPullSecrets, missingSentence } from './missing.ts';
import { hopeless, type Known, type Stuck } from './stuck.ts';

/** A refused pull is tried again after 10 to 25 s, and its outcome stands in the pod's status up to 15 s later [measured]. */
const SECOND_PULL_SECONDS = 40;

/** Registries' words for "never": the rest (rate limits, time-outs, 5xx) may pass. */
const NO_SUCH_IMAGE = /not found|manifest unknown|name unknown|repository does not exist|no such image|\b404\b/i;
/** And for "not for you". */
const REFUSED =
  /denied|unauthorized|forbidden|authentication required|authorization failed|insufficient_scope|no basic auth|\b40[13]\b/i;

/** A name that no server knows may be one for a moment only: two more pulls come within this time. */
const NO_SUCH_HOST = /no such host/;
const NO_SUCH_HOST_SECONDS = 60;

/** Nodes that reach no public registry are many. */
const OTHER_SIDECAR =
  'Set `xcom_sidecar_container_image` to an image with a shell that the node can pull, e.g. a copy of busybox in your own registry, or `do_xcom_push: auto`, which takes a result of up to 4 KiB without a sidecar.';

/** An image that does not come. */
export function stuckPull(pod: V1Pod, { name, image, state }: V1ContainerStatus, known: Known): Stuck {
  const message = pullFault(state?.waiting?.message ?? '');
  // What is quoted is the image's address, whose name may hold any word.
  const words = message.replaceAll(image, '').replace(/"[^"]*"|https?:\/\/\S+/g, '');
  // A registry that is out of order, or asked too often, may say anything about why.
  const mayPass = /\b(429|5\d\d)\b [A-Z]/.test(words);
  const refused = !mayPass && REFUSED.test(words);
  const hints = pullSecretsMissing(pod, known);
  const hint = hints.map(missing => ` ${missingSentence(missing, pod.metadata?.namespace ?? '')}`).join('');
  const init = isInit(pod, name);
  const what = `Image ${image}${init ? ` of ${kindOfInit(name)}` : ''}`;
  const field = imageField(pod, name);
  const failure = `${what} cannot be pulled: ${message}`;
  const sentence = hint === '' ? failure : withRemedy(failure, hint.trim());
  const ofSidecar = init && name === RESULT_SIDECAR;
  const trying = {
    what: `pulling ${image}${ofSidecar ? `, of ${kindOfInit(name)},` : ''} fails: ${message}${hint}`,
    worthTelling: true,
  };
  const title = 'Image cannot be pulled';
  if (NO_SUCH_HOST.test(words)) {
    const remedy = ofSidecar ? OTHER_SIDECAR : `Check the registry in ${field}, and the name server of the node.`;
    const cause = `host ${name}`;
    return {
      ...hopeless({
        reason: 'ImagePull',
        title,
        sentence,
        remedy,
        graceSeconds: NO_SUCH_HOST_SECONDS,
        cause,
        mayPass: true,
      }),
      ...trying,
    };
  }
  if (mayPass || (!refused && !NO_SUCH_IMAGE.test(words)))
    return {
      ...trying,
      lasting: {
        reason: 'ImagePull',
        title,
        sentence: within => `${what} could not be pulled within ${within}: ${message}`,
        remedy: ofSidecar ? OTHER_SIDECAR : 'If the registry only needs more time, raise `startup_timeout_seconds`.',
        mayPass: true,
      },
    };
  const mayHaveComeTooLate = refused && known.ownPullSecret === true && known.refusedAgain?.has(name) !== true;
  const stuck = hopeless({
    reason: 'ImagePull',
    title,
    sentence,
    remedy:
      explainMissing(hints, pod.metadata?.namespace ?? '')?.remedy ??
      (ofSidecar
        ? OTHER_SIDECAR
        : known.ownPullSecret
          ? `Check ${field}, \`registry_username\` and \`registry_password\`.`
          : `Check ${field}; a private registry needs \`registry_username\` and \`registry_password\`, or an image pull secret in \`image_pull_secrets\` or on the pod’s service account.`),
    graceSeconds: mayHaveComeTooLate ? SECOND_PULL_SECONDS : 0,
    cause: `pull ${name}`,
    wantsEvents: known.events === undefined && (pod.spec?.imagePullSecrets ?? []).length > 0,
  });
  return mayHaveComeTooLate
    ? { ...stuck, what: `the first pull of ${image} was refused; the node tries again, with the pull secret` }
    : stuck;
}

/** The kubelet says so just before each pull; what it said before an earlier one may have been made since. */
function pullSecretsMissing(pod: V1Pod, { events = [], references }: Known): Missing[] {
  const pulling = events.findLast(({ reason }) => reason === 'Pulling')?.lastMs ?? 0;
  const said = events.findLast(({ reason }) => reason === 'FailedToRetrieveImagePullSecret');
  return said === undefined || said.lastMs < pulling - SAME_TIME_MS
    ? []
    : missingPullSecrets(said.message, references, pod);
}

/** Whose image is an input. */
const FIELDS: Record<string, string> = {
  [RESULT_SIDECAR]: '`xcom_sidecar_container_image`',
  [CHECKOUT_CONTAINER]: '`git_image`',
  [UPLOAD_CONTAINER]: '`helper_image`',
};

/** @returns what the user has to correct for another image of a container. */
export function imageField(pod: V1Pod, name: string): string {
  if (!isInit(pod, name)) return '`image`';
  return FIELDS[name] ?? 'the image of that container';
}

function isInit({ spec }: V1Pod, name: string): boolean {
  return spec?.initContainers?.some(container => container.name === name) === true;
}

function kindOfInit(name: string): string {
  return name === RESULT_SIDECAR ? 'the result’s sidecar' : `init container ${name}`;
}
