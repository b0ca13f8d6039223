import type { InputName } from '../contract.ts';
import { defined } from '../defined.ts';
import { StepError } from '../failure.ts';
import { checkWorkspacePath, workspaceOf } from '../workspace-file.ts';
import type { Tree } from '../yaml.ts';
import { type AttachInputs, readAttach } from './attach.ts';
import { type ClusterInputs, readCluster } from './cluster.ts';
import { readExitCodes, readItems } from './exit-codes.ts';
import { type FilesInputs, readFiles } from './files.ts';
import { type InputReader, isNull, isScalar } from './reader.ts';
import { type ResultInputs, readResult } from './result.ts';
import { type RetryInputs, readRetries } from './retry.ts';
import { type RunInputs, readRun } from './run.ts';

/** Labels and annotations with this prefix say whose a pod is; setting one in an input is an error, for cleanup rests on them. */
export const RESERVED_PREFIX = 'kubernetes-pod-step/';

const FINISH_ACTIONS = ['delete_pod', 'delete_succeeded_pod', 'delete_active_pod', 'keep_pod'] as const;
export type OnFinishAction = (typeof FINISH_ACTIONS)[number];
const KILL_ACTIONS = ['delete_pod', 'keep_pod'] as const;
export type OnKillAction = (typeof KILL_ACTIONS)[number];

/** How the step is to run: read once, at the start, and passed on. What the pod is made of is read in `pod/inputs`. `undefined` means that the user said nothing. */
export interface Inputs extends RetryInputs {
  cluster: ClusterInputs;
  /** Path of a Jinja template of the pod, and the variables for it. */
  podTemplateFile?: string;
  templateVars?: Tree;
  randomNameSuffix: boolean;
  queueTimeoutSeconds: number;
  scheduleTimeoutSeconds: number;
  startupTimeoutSeconds: number;
  /** How long the API server may be away; `undefined` leaves it to the client, which has less patience at first contact. */
  outageTimeoutSeconds?: number;
  logs: LogInputs;
  result: ResultInputs;
  /** A script in place of a command. */
  run?: RunInputs;
  files: FilesInputs;
  /** The job's workspace: absolute. */
  workspace: string;
  /** Whether the pod is left to run: as soon as the cluster has it, or when its container has started. */
  deferrable?: 'created' | 'started';
  /** The pod to follow; none is made then. */
  attach?: AttachInputs;
  /** Whether a re-run goes on with the pod of an earlier attempt; otherwise one that still runs is stopped first. */
  reattachOnRestart: boolean;
  onFinishAction: OnFinishAction;
  /** What becomes of the pod when the step is cancelled, or killed. */
  onKillAction: OnKillAction;
  /** Exit codes of the base container that say that there was nothing to do. */
  skipOnExitCodes: number[];
  dryRun: boolean;
}

/** Which containers' logs are wanted: all of a kind, or these. */
export type ContainerChoice = 'all' | string[];

/** What becomes of the containers' logs. */
export interface LogInputs {
  /** Whether they are shown in the job log. */
  shown: boolean;
  /** Of the containers that run side by side; `undefined`: the base container's alone. */
  containers?: ContainerChoice;
  /** Of the init containers, where `all` are those of the manifest that end. */
  initContainers: ContainerChoice;
  /** Whether a line begins with its container's name where there are several. */
  prefixed: boolean;
  /** Whether the log has an account of a pod that failed. */
  eventsOnFailure: boolean;
  /** Whether the log has a pod that failed as the cluster has it. */
  podOnFailure: boolean;
  /** Path of a file in the workspace that they are written to. */
  file?: string;
  /** Whether the base container's `::error::` and the like become annotations. */
  annotations: boolean;
}

/** Time for a queue to admit the pod: its quota may be used up for long. */
const DEFAULT_QUEUE_TIMEOUT_SECONDS = 3600;
/** Time for a node to be found, as a pool that scales up from nothing takes minutes; and from there to the container's start, as large images take minutes too. */
const DEFAULT_TIMEOUT_SECONDS = 600;

/** Reads how the step is to run. What is wrong is on the reader's list then. */
export function readInputs(reader: InputReader): Inputs {
  const logs = readLogInputs(reader);
  const run = readRun(reader);
  const files = readFiles(reader);
  const hasSidecar = run !== undefined || files.download !== undefined;
  return {
    ...defined({
      podTemplateFile: reader.word('pod_template_file'),
      templateVars: reader.tree('template_vars'),
      outageTimeoutSeconds: reader.seconds('outage_timeout_seconds', 1),
      deferrable: readDeferrable(reader),
      attach: readAttach(reader),
      run,
    }),
    ...readRetries(reader),
    cluster: readCluster(reader),
    randomNameSuffix: reader.boolean('random_name_suffix') ?? true,
    queueTimeoutSeconds: reader.seconds('queue_timeout_seconds', 1) ?? DEFAULT_QUEUE_TIMEOUT_SECONDS,
    scheduleTimeoutSeconds: reader.seconds('schedule_timeout_seconds', 1) ?? DEFAULT_TIMEOUT_SECONDS,
    startupTimeoutSeconds: reader.seconds('startup_timeout_seconds', 1) ?? DEFAULT_TIMEOUT_SECONDS,
    logs,
    workspace: workspaceOf(reader.env),
    result: readResult(reader, logs.file, { helperImage: files.helperImage, hasSidecar }),
    files,
    reattachOnRestart: reader.boolean('reattach_on_restart') ?? true,
    onFinishAction: readFinishAction(reader),
    onKillAction: reader.choice('on_kill_action', KILL_ACTIONS) ?? 'delete_pod',
    skipOnExitCodes: readExitCodes(reader, 'skip_on_exit_code'),
    dryRun: reader.boolean('dry_run') ?? false,
  };
}

/** GitHub cuts an annotation at 4,096 characters. */
const MOST_SHOWN = 50;

/** @throws StepError that lists all that is wrong with the inputs, each with its name, the place in it, what was expected and what was found. */
export function refuseProblems({ problems }: InputReader): void {
  const [first, ...more] = problems;
  if (first === undefined) return;
  const shown = problems.slice(0, MOST_SHOWN).map(problem => `- ${problem}`);
  if (problems.length > MOST_SHOWN) shown.push(`- and ${problems.length - MOST_SHOWN} more`);
  const list = more.length === 0 ? first : shown.join('\n');
  throw new StepError('InvalidInput', more.length === 0 ? 'Invalid input' : `${problems.length} invalid inputs`, list);
}

function readLogInputs(reader: InputReader): LogInputs {
  const file = reader.word('log_file');
  const wrong = file === undefined ? undefined : checkWorkspacePath(file, workspaceOf(reader.env));
  if (wrong !== undefined) reader.problem('log_file', wrong);
  return {
    ...defined({ containers: readContainers(reader, 'container_logs'), file }),
    shown: reader.boolean('get_logs') ?? true,
    initContainers: readContainers(reader, 'init_container_logs') ?? 'all',
    prefixed: reader.boolean('container_name_log_prefix_enabled') ?? true,
    eventsOnFailure: reader.boolean('log_events_on_failure') ?? true,
    podOnFailure: reader.boolean('log_pod_spec_on_failure') ?? true,
    annotations: reader.choice('workflow_commands', ['none', 'annotations']) === 'annotations',
  };
}

/** `true`, `false`, or names: a list, or text with commas. */
function readContainers(reader: InputReader, input: InputName): ContainerChoice | undefined {
  const tree = reader.tree(input);
  if (tree === undefined || isNull(tree)) return undefined;
  // KPO's users write True and False, as in Python.
  const word = isScalar(tree) ? String(tree).trim() : '';
  if (/^true$/i.test(word)) return 'all';
  if (/^false$/i.test(word)) return [];
  return readItems(reader, input, 'true, false, or names of containers').flatMap(({ word: name, found, path }) => {
    if (/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) return [name];
    reader.problem(input, `expected the name of a container; found ${found}.`, path);
    return [];
  });
}

function readDeferrable(reader: InputReader): Inputs['deferrable'] {
  const mode = reader.choice('deferrable', ['false', 'true', 'started']);
  if (mode !== 'true' && mode !== 'started') return undefined;
  const unused = FOR_THE_END.filter(name => reader.given(name) !== undefined && !reader.saysNothing(name));
  if (unused.length > 0)
    reader.warnings.add(
      `${unused.join(', ')}: with deferrable this step does not see the pod's end. Give ${unused.length === 1 ? 'it' : 'them'} to the step that attaches to it.`,
    );
  return mode === 'true' ? 'created' : mode;
}

/** What is done with a pod's log and its end. */
const FOR_THE_END = [
  'log_file',
  'result_file',
  'multiple_outputs',
  'workflow_commands',
  'skip_on_exit_code',
  'on_finish_action',
  'is_delete_operator_pod',
] as const;

/** `on_finish_action`, and the parameter that came before it. */
function readFinishAction(reader: InputReader): OnFinishAction {
  const action = reader.choice('on_finish_action', FINISH_ACTIONS);
  const old = reader.boolean('is_delete_operator_pod');
  if (old === undefined) return action ?? 'delete_pod';
  const successor = old ? 'delete_pod' : 'keep_pod';
  reader.notices.add(`is_delete_operator_pod is deprecated: write on_finish_action: ${successor}.`);
  if (action !== undefined && action !== successor)
    reader.problem(
      'is_delete_operator_pod',
      `${old} means on_finish_action: ${successor}, which says ${action}. Keep on_finish_action alone.`,
    );
  return action ?? successor;
}
