import type { InputName } from '../../github/contract.ts';
import { isNamespace } from '../../github/inputs/cluster.ts';
import { type InputReader, isMapping, isNull, isScalar } from '../../github/inputs/reader.ts';
import { readWords } from '../../github/inputs/words.ts';
import { describe, type Tree } from '../../github/yaml.ts';
import { conform, conformField } from '../conform.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { fieldNamed } from '../schema.ts';
import { readConfigMaps, readEnvFrom, readEnvVars, readRuntimeEnvs } from './env-vars.ts';
import type { Fragment } from './fragment.ts';
import { type OwnedSecretInputs, readOwnedSecrets } from './owned-secrets.ts';
import { readResources } from './resources.ts';
import { readSecrets } from './secrets.ts';
import { readImagePullSecrets, readVolumes } from './volumes.ts';
import { readWorkspaceVolume, type WorkspaceVolume } from './workspace-volume.ts';

/** A pod, or a part of one, that one input holds. */
export interface WholePod {
  /** The input. */
  from: string;
  pod: JsonObject;
}

/** What the inputs say of the pod. */
export interface PodInputs {
  /** All of one rank: no two of them may say something about one and the same thing. */
  fragments: Fragment[];
  /** The container asked for, and the input that asks. */
  baseContainer?: { name: string; from: string };
  podTemplateDict?: WholePod;
  fullPodSpec?: WholePod;
  podPatch?: WholePod;
  /** Values that become Secrets of the pod's own. */
  owned: OwnedSecretInputs;
  /** What the workspace is on. */
  workspaceVolume?: WorkspaceVolume;
  /** Laid over the security context of the result's sidecar. */
  resultSecurityContext?: JsonObject;
}

/** Inputs that are one field each, of the type that the API has for it. */
const CONTAINER_FIELDS: Partial<Record<InputName, string>> = {
  image: 'image',
  working_dir: 'workingDir',
  ports: 'ports',
  volume_mounts: 'volumeMounts',
  container_security_context: 'securityContext',
};
const POD_FIELDS: Partial<Record<InputName, string>> = {
  init_containers: 'initContainers',
  node_selector: 'nodeSelector',
  affinity: 'affinity',
  tolerations: 'tolerations',
  runtime_class_name: 'runtimeClassName',
  priority_class_name: 'priorityClassName',
  schedulername: 'schedulerName',
  service_account_name: 'serviceAccountName',
  automount_service_account_token: 'automountServiceAccountToken',
  hostnetwork: 'hostNetwork',
  host_aliases: 'hostAliases',
  hostname: 'hostname',
  subdomain: 'subdomain',
  dns_config: 'dnsConfig',
  security_context: 'securityContext',
};
const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'];
const MESSAGE_POLICIES = ['File', 'FallbackToLogsOnError'];
const DNS_POLICIES = ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'];

/** Reads every input that the pod is made of. What is wrong is on the reader's list then. */
export function readPodInputs(reader: InputReader): PodInputs {
  const owned = readOwnedSecrets(reader);
  const whole = (name: InputName, strategic = false) => readPod(reader, name, strategic);
  const [podTemplateDict, fullPodSpec, podPatch] = [
    whole('pod_template_dict'),
    whole('full_pod_spec'),
    whole('pod_patch', true),
  ];
  const workspaceVolume = readWorkspaceVolume(reader);
  const baseName = reader.word('base_container_name');
  const ofSidecar = readField(reader, 'xcom_sidecar_container_security_context', 'V1Container', 'securityContext');
  return {
    fragments: [
      ...readFields(reader, 'container', 'V1Container', CONTAINER_FIELDS),
      ...readChoice(reader, 'image_pull_policy', 'container', 'imagePullPolicy', PULL_POLICIES),
      ...readChoice(reader, 'termination_message_policy', 'container', 'terminationMessagePolicy', MESSAGE_POLICIES),
      ...readCommand(reader, 'cmds', 'command'),
      ...readCommand(reader, 'arguments', 'args'),
      ...readEnvVars(reader),
      ...readRuntimeEnvs(reader),
      ...readEnvFrom(reader),
      ...readConfigMaps(reader),
      // What has no volumes says nothing of those that come with Secrets.
      ...readVolumes(reader),
      ...readSecrets(reader),
      ...readResources(reader),
      ...readImagePullSecrets(reader),
      ...readFields(reader, 'spec', 'V1PodSpec', POD_FIELDS),
      ...readChoice(reader, 'dnspolicy', 'spec', 'dnsPolicy', DNS_POLICIES),
      ...readSeconds(reader, 'termination_grace_period', 'terminationGracePeriodSeconds', 0),
      ...readSeconds(reader, 'active_deadline_seconds', 'activeDeadlineSeconds', 1),
      ...readTexts(reader, 'labels'),
      ...readTexts(reader, 'annotations'),
      ...readNamed(reader, 'name'),
      ...readNamed(reader, 'namespace'),
    ].map(fragment => ({ ...fragment, from: reader.place(fragment.from) })),
    ...(baseName !== undefined && { baseContainer: { name: baseName, from: reader.place('base_container_name') } }),
    ...(podTemplateDict && { podTemplateDict }),
    ...(fullPodSpec && { fullPodSpec }),
    ...(podPatch && { podPatch }),
    owned,
    ...(workspaceVolume && { workspaceVolume }),
    ...(isObject(ofSidecar) && { resultSecurityContext: ofSidecar }),
  };
}

/** @returns the fragment of a value that is one field; a value that is empty takes away what a template has. */
function field(from: string, of: Fragment['of'], name: string, value: Json): Fragment {
  return { from, of, fields: { [name]: isEmpty(value) ? null : value }, mirrors: name };
}

function isEmpty(value: Json): boolean {
  return (
    value === null ||
    value === '' ||
    (Array.isArray(value) && value.length === 0) ||
    (isObject(value) && Object.keys(value).length === 0)
  );
}

function readFields(
  reader: InputReader,
  of: Fragment['of'],
  model: string,
  inputs: Partial<Record<InputName, string>>,
): Fragment[] {
  return (Object.entries(inputs) as [InputName, string][]).flatMap(([input, name]) => {
    const value = readField(reader, input, model, name);
    return value === undefined ? [] : [field(input, of, name, value)];
  });
}

function readField(reader: InputReader, input: InputName, model: string, name: string): Json | undefined {
  const type = fieldNamed(model, name)?.type;
  if (isAbsent(reader, input)) return null;
  if (type === 'string') return reader.text(input);
  if (type === 'boolean') return reader.boolean(input);
  const tree = reader.tree(input);
  if (tree === undefined) return undefined;
  return conformField(tree, model, name, (path, sentence) => reader.problem(input, sentence, path));
}

/** Whether the input takes away what a template has: `null`, or text that is explicitly empty. */
function isAbsent(reader: InputReader, input: InputName): boolean {
  const given = reader.given(input);
  return reader.saysNothing(input) || (given !== undefined && 'text' in given && reader.text(input) === '');
}

function readNamed(reader: InputReader, input: 'name' | 'namespace'): Fragment[] {
  const value = isAbsent(reader, input) ? null : reader.word(input);
  // What cannot be a namespace has been told of where the cluster is read.
  if (value === undefined || (input === 'namespace' && value !== null && !isNamespace(value))) return [];
  return [{ from: input, of: 'metadata', fields: { [input]: value } }];
}

function readChoice(
  reader: InputReader,
  input: InputName,
  of: Fragment['of'],
  name: string,
  choices: readonly string[],
): Fragment[] {
  const value = isAbsent(reader, input) ? null : reader.choice(input, choices);
  return value === undefined ? [] : [field(input, of, name, value)];
}

function readSeconds(reader: InputReader, input: InputName, name: string, least: number): Fragment[] {
  const value = isAbsent(reader, input) ? null : reader.seconds(input, least);
  return value === undefined ? [] : [field(input, 'spec', name, value)];
}

function readCommand(reader: InputReader, input: 'cmds' | 'arguments', name: string): Fragment[] {
  const words = reader.saysNothing(input) ? null : readWords(reader, input);
  if (words === undefined) return [];
  return [{ ...field(input, 'container', name, words), ...(words !== null && { fields: { [name]: words } }) }];
}

/** `labels` and `annotations`. A null value is empty text, as it is to KPO. */
function readTexts(reader: InputReader, input: 'labels' | 'annotations'): Fragment[] {
  const tree = reader.tree(input);
  if (tree === undefined) return [];
  if (isNull(tree)) return [field(input, 'metadata', input, null)];
  if (!isMapping(tree)) {
    reader.problem(input, `expected a mapping, e.g. {team: data}; found ${describe(tree)}.`);
    return [];
  }
  const texts = Object.entries(tree).flatMap(([key, value]): [string, string][] => {
    if (isScalar(value)) return [[key, isNull(value) ? '' : String(value)]];
    reader.problem(input, `expected text, found ${describe(value)}.`, `.${key}`);
    return [];
  });
  return [field(input, 'metadata', input, Object.fromEntries(texts))];
}

function readPod(reader: InputReader, input: InputName, strategic: boolean): WholePod | undefined {
  const tree = reader.tree(input);
  if (tree === undefined || isNull(tree)) return undefined;
  const pod = conformPod(tree, strategic, (path, sentence) =>
    reader.problem(input, path === '' ? sentence : `${path.replace(/^\./, '')}: ${sentence}`),
  );
  return pod && { from: reader.place(input), pod };
}

/** What `kubectl get -o yaml` and `kubectl run --dry-run` write and no one means: the cluster's own. */
const OF_THE_CLUSTER = ['uid', 'resourceVersion', 'creationTimestamp', 'generation', 'managedFields', 'selfLink'];

/** @returns a pod, or a part of one, as the API takes it. */
export function conformPod(
  tree: Tree,
  strategic: boolean,
  report: (path: string, sentence: string) => void,
): JsonObject | undefined {
  if (!isMapping(tree)) {
    report('', `expected a Pod, e.g. {spec: {containers: [...]}}; found ${describe(tree)}.`);
    return undefined;
  }
  const kind = tree['kind'];
  if (kind !== undefined && String(kind) !== 'Pod') {
    const inside =
      tree['template'] ?? (isMapping(tree['spec'] ?? '') ? (tree['spec'] as { template?: Tree }).template : undefined);
    report(
      '.kind',
      `expected Pod, found ${isScalar(kind) ? kind : describe(kind)}.${inside ? ' Its template is the pod that is meant.' : ''}`,
    );
    return undefined;
  }
  const pod = conform(tree, 'V1Pod', report, strategic);
  if (!isObject(pod)) return undefined;
  const { status, ...kept } = pod;
  if (isObject(status ?? null) && Object.keys(status as object).length > 0)
    report('.status', 'is the cluster’s to write. Leave it out.');
  if (isObject(kept['metadata'] ?? null)) {
    for (const name of OF_THE_CLUSTER) {
      const value = (kept['metadata'] as JsonObject)[name];
      if (value !== undefined && value !== null)
        report(`.metadata.${name}`, 'is the cluster’s to write. Leave it out.');
    }
  }
  return kept;
}
