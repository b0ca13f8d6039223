import { posix } from 'node:path';
import type { V1Container, V1Pod } from '@kubernetes/client-node';
import { defined } from '../github/defined.ts';
import type { StepIdentity } from '../github/identity.ts';
import { type Inputs, RESERVED_PREFIX } from '../github/inputs/inputs.ts';
import { labelValue, podName } from './naming.ts';
import { secretParts } from './secrets.ts';

/** The container that decides the step's outcome, under KPO's name for it. */
export const BASE_CONTAINER = 'base';
/** KPO's path. The kubelet takes a termination message from any file, so a small result needs neither sidecar nor exec. */
export const RESULT_PATH = '/airflow/xcom/return.json';
export const NONCE_ANNOTATION = `${RESERVED_PREFIX}nonce`;
export const RUN_URL_ANNOTATION = `${RESERVED_PREFIX}run-url`;

/** The longest that GitHub lets a job run, and a margin for what comes after the pod: 6 h where it hosts the runner, 5 days elsewhere. */
const MARGIN_SECONDS = 600;
const LONGEST_JOB_SECONDS = { hosted: 6 * 3600, selfHosted: 5 * 24 * 3600 };

/** What is about to be created. */
export interface Plan {
  pod: V1Pod;
  namespace: string;
  name: string;
  /** Whether the base container's termination message is the result. */
  resultInMessage: boolean;
  deadlineSeconds: number;
}

/**
 * Builds the pod.
 * @param nonce unguessable, saved before the create: the pod that carries it is this attempt's
 */
export function planPod(inputs: Inputs, identity: StepIdentity, namespace: string, nonce: string): Plan {
  const name = podName(
    nameWanted(inputs, identity),
    inputs.randomNameSuffix ? [identity.repositoryId, identity.runId, identity.runAttempt, nonce].join('/') : undefined,
  );
  const deadlineSeconds =
    inputs.activeDeadlineSeconds ??
    (identity.hosted ? LONGEST_JOB_SECONDS.hosted : LONGEST_JOB_SECONDS.selfHosted) + MARGIN_SECONDS;
  const secrets = secretParts(inputs.secrets);
  const resultInMessage = inputs.readResult && !secrets.volumeMounts.some(mount => holds(mount.mountPath, RESULT_PATH));
  const container: V1Container = {
    name: BASE_CONTAINER,
    image: inputs.image,
    ...defined({
      command: inputs.cmds,
      args: inputs.arguments,
      imagePullPolicy: inputs.imagePullPolicy,
      resources: inputs.resources,
    }),
    ...defined({
      env: some([...inputs.envVars, ...secrets.env]),
      envFrom: some(secrets.envFrom),
      volumeMounts: some(secrets.volumeMounts),
    }),
    ...(resultInMessage && { terminationMessagePath: RESULT_PATH }),
  };
  const pod: V1Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      labels: { 'app.kubernetes.io/managed-by': 'kubernetes-pod-step', ...inputs.labels, ...identityLabels(identity) },
      annotations: { ...inputs.annotations, ...identityAnnotations(identity), [NONCE_ANNOTATION]: nonce },
    },
    spec: {
      restartPolicy: 'Never',
      activeDeadlineSeconds: deadlineSeconds,
      ...defined({ serviceAccountName: inputs.serviceAccountName, volumes: some(secrets.volumes) }),
      containers: [container],
    },
  };
  return { pod, namespace, name, resultInMessage, deadlineSeconds };
}

/** @returns the mark of the attempt that created a pod; empty for a pod that is none of this action's. */
export function nonceOf(pod: V1Pod): string {
  return pod.metadata?.annotations?.[NONCE_ANNOTATION] ?? '';
}

/** @returns the name asked for, before it is made fit: the job's and the step's id where there is none. The runner makes up an id such as `__run_2` for a step without. */
export function nameWanted(inputs: Pick<Inputs, 'name'>, identity: StepIdentity): string {
  return (
    inputs.name ??
    ([identity.job, identity.step.replace(/^_+/, '')].filter(part => part !== '').join('-') || 'pod-step')
  );
}

/** Labels to find a run's pods by. They are made safe, and can be forged by a neighbour: nothing rests on them alone. */
function identityLabels(identity: StepIdentity): Record<string, string> {
  const labels: Record<string, string> = {};
  const values = {
    'repository-id': identity.repositoryId,
    'run-id': identity.runId,
    'run-attempt': identity.runAttempt,
    job: identity.job,
    step: identity.step,
  };
  for (const [key, value] of Object.entries(values))
    if (value !== '') labels[`${RESERVED_PREFIX}${key}`] = labelValue(value);
  return labels;
}

/** Whoever finds the pod finds the run. */
function identityAnnotations(identity: StepIdentity): Record<string, string> {
  const annotations: Record<string, string> = {};
  const values = {
    repository: identity.repository,
    workflow: identity.workflow,
    'run-url': identity.runUrl,
    commit: identity.sha,
  };
  for (const [key, value] of Object.entries(values)) if (value !== '') annotations[`${RESERVED_PREFIX}${key}`] = value;
  return annotations;
}

/** Whether a mount at `mountPath` hides `path`: then the kubelet could not put the message file there. */
function holds(mountPath: string, path: string): boolean {
  const folder = posix.normalize(mountPath).replace(/\/+$/, '');
  return path === folder || path.startsWith(`${folder}/`);
}

function some<T>(list: T[]): T[] | undefined {
  return list.length > 0 ? list : undefined;
}
