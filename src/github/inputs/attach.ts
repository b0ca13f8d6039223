import { CLUSTER_INPUTS, type InputName } from '../contract.ts';
import { defined } from '../defined.ts';
import { isObjectName } from './cluster.ts';
import type { InputReader } from './reader.ts';

/** The pod that a step is to follow, instead of making one. */
export interface AttachInputs {
  /** The pod's name. */
  pod: string;
  /** What proves that it is the pod that is meant. */
  uid?: string;
  /** How long it is followed before it is left for another time. */
  timeoutSeconds?: number;
  /** The container that decides, where the pod does not say. */
  base?: string;
}

/** What a step that makes no pod can be told. */
const INPUTS: ReadonlySet<string> = new Set<InputName>([
  'attach',
  'pod_uid',
  'attach_timeout_seconds',
  ...CLUSTER_INPUTS,
  'base_container_name',
  'defaults_file',
  'queue_timeout_seconds',
  'schedule_timeout_seconds',
  'startup_timeout_seconds',
  'outage_timeout_seconds',
  'get_logs',
  'container_logs',
  'init_container_logs',
  'container_name_log_prefix_enabled',
  'log_events_on_failure',
  'log_pod_spec_on_failure',
  'log_file',
  'workflow_commands',
  'do_xcom_push',
  'multiple_outputs',
  'result_file',
  'download',
  'download_limit',
  'skip_on_exit_code',
  'on_finish_action',
  'on_kill_action',
  'is_delete_operator_pod',
  'github_token',
  'matrix',
]);

/** Reads `attach` with what belongs to it. What is wrong is on the reader's list then. */
export function readAttach(reader: InputReader): AttachInputs | undefined {
  const pod = reader.word('attach');
  const [uid, timeoutSeconds] = [reader.word('pod_uid'), reader.seconds('attach_timeout_seconds', 1)];
  if (uid !== undefined && !/^[\w-]{1,100}$/.test(uid))
    reader.problem(
      'pod_uid',
      `"${uid}" cannot be the UID of a pod. It is the output \`pod_uid\` of the step that made it.`,
    );
  if (pod === undefined) {
    const given = uid !== undefined ? 'pod_uid' : timeoutSeconds !== undefined ? 'attach_timeout_seconds' : undefined;
    if (given !== undefined)
      reader.problem(
        'attach',
        `${given} is given, so this is needed too. An output of a step or a job that has not run is empty text.`,
      );
    return undefined;
  }
  if (!isObjectName(pod))
    reader.problem(
      'attach',
      `"${pod}" cannot be the name of a pod. It is the output \`pod_name\` of the step that made it.`,
    );
  for (const name of reader.ownNames())
    if (!INPUTS.has(name))
      reader.problem(name, 'this is for a step that makes a pod, and attach follows one that is there. Leave it out.');
  return defined({ pod, uid, timeoutSeconds, base: reader.word('base_container_name') });
}
