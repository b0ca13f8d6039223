/**
 * Why a step failed, for workflows that branch on it: the closed list behind the output `reason`.
 * Kubernetes' own word where it has one. `docs/reasons.md` explains each.
 */
export const REASONS = {
  InvalidInput: 'An input is missing, misspelt or malformed. Nothing was created.',
  InvalidKubeconfig: 'The kubeconfig, its context or its credentials cannot be used. Nothing was created.',
  Unreachable: 'The API server did not answer in time.',
  Unauthorized: 'The API server does not accept the credentials.',
  Credentials:
    'The credentials ended while the pod ran, and could not be renewed. The pod goes on; the step can attach to it.',
  Forbidden: 'The credentials may not do this, or a policy of the cluster refused the pod.',
  NamespaceNotFound: 'The namespace does not exist, or is being deleted.',
  QuotaExceeded: "A ResourceQuota of the namespace has no room for the pod's requests or limits.",
  InvalidPod: 'The API server refused the pod as malformed.',
  NameTaken: 'A pod, or a Secret that was to be the pod’s, has that name and is not this step’s.',
  AmbiguousPod:
    'Pods of earlier attempts of the run could be this step’s, and one that runs cannot be told from another, or does not stop. No second one is started beside it.',
  PodNotFound: 'There is no pod of that name, or not the one with that UID, to attach to.',
  FieldDropped: 'The cluster did not keep a field of the pod, so it would not have been the pod that was asked for.',
  SchedulingGated: 'A scheduling gate, e.g. of a queue, held the pod for too long.',
  Unschedulable: 'No node took the pod in time.',
  StartTimeout: 'The container did not start in time.',
  ImagePull: 'The image cannot be pulled, or its name is invalid.',
  ContainerConfig:
    'The container cannot be created as specified, e.g. a Secret, ConfigMap, key, claim, service account or class is missing.',
  StartError: 'The command cannot be started, e.g. it does not exist in the image.',
  ExitCode: 'The container exited with a non-zero code, which `exit_code` has.',
  InitContainer:
    'An init container exited with a non-zero code, or a sidecar keeps ending, so the container never ran.',
  OOMKilled: 'The container exceeded its memory limit.',
  DeadlineExceeded: 'The pod ran into active_deadline_seconds.',
  Evicted:
    'The pod was evicted: by its node, for want of memory, disk or process ids, or over a limit of storage; by a drain of the node; by a taint.',
  Preempted: 'The pod had to make room for one of higher priority.',
  NodeShutdown: 'The node was being shut down.',
  NodeLost: 'The node is gone or cannot be reached, or lost the container: what became of it cannot be known.',
  Unhealthy: 'The container was killed because its liveness or startup probe failed.',
  FailedPostStartHook: 'The container was killed because its postStart hook failed.',
  Rejected: "The node's kubelet refused the pod before anything ran.",
  PodDeleted: 'Somebody else deleted the pod before the container had ended.',
  InvalidResult: 'The container succeeded, but what it wrote to return.json is not a usable result.',
  Upload: 'The job’s workspace could not be brought into the pod, so the container never ran.',
  Download: 'The container succeeded, but files that `download` names did not come back.',
  Cancelled: 'The step was cancelled.',
  ServerError: 'The API server kept answering with an error.',
  Bug: 'The action failed in a way it should not.',
} as const;

export type Reason = keyof typeof REASONS;

/**
 * The one error that is thrown on purpose. Whatever else arrives where the step ends is a bug of the action and is shown as such.
 * `title` heads the annotation, `message` is the sentence that names what happened and where, `remedy` says what to do about it.
 */
export class StepError extends Error {
  readonly reason: Reason;
  readonly title: string;
  readonly remedy: string | undefined;
  /** Whether the same may go well a little later, though nobody changes anything. */
  readonly mayPass: boolean;

  constructor(
    reason: Reason,
    title: string,
    sentence: string,
    options: { remedy?: string; cause?: unknown; mayPass?: boolean } = {},
  ) {
    super(sentence, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = 'StepError';
    this.reason = reason;
    this.title = title;
    this.remedy = options.remedy;
    this.mayPass = options.mayPass ?? false;
  }

  /** What an annotation says: the sentence, and behind it the way out. */
  get text(): string {
    return withRemedy(this.message, this.remedy);
  }
}

/** A sentence and the way out. A message of the cluster's, which the sentence may end in, often has no full stop. */
export function withRemedy(sentence: string, remedy: string | undefined): string {
  if (remedy === undefined) return sentence;
  return `${sentence}${/[.!?]["’)]?\s*$/.test(sentence) ? '' : '.'} ${remedy}`;
}
