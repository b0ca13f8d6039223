import { posix } from 'node:path';
import type { V1Pod } from '@kubernetes/client-node';
import type { StepIdentity } from '../github/identity.ts';
import { didYouMean, MOST_SECONDS } from '../github/inputs/reader.ts';
import type { PodIdentity } from '../kubernetes/pods.ts';
import { checkPod } from './check.ts';
import { digestOf } from './compare.ts';
import { GRACE_ANNOTATION, NONCE_ANNOTATION, PLAN_ANNOTATION } from './identity.ts';
import type { Fragment } from './inputs/fragment.ts';
import type { PodInputs } from './inputs/pod-inputs.ts';
import {
  containerNamed,
  containersOf,
  type JsonObject,
  objectOf,
  objectsOf,
  type Path,
  parsePath,
  pathText,
  textOf,
} from './json.ts';
import { DEFAULTS, defaults, OWN, ownLayer, type PodSources, templates, upper } from './layers.ts';
import { expiryOf, lifetimeOf } from './lifetime.ts';
import { MergedPod } from './merge.ts';
import { podName } from './naming.ts';
import { type OwnedSecret, planOwnedSecrets } from './owned-secrets.ts';
import {
  RESULT_FILE,
  RESULT_FOLDER,
  RESULT_PATH,
  RESULT_VARIABLE,
  type ResultChannel,
  resultChannel,
  STEP_FILES,
} from './result.ts';
import { resultSidecar } from './result-sidecar.ts';
import { enforce, sameRank } from './rules.ts';
import { commandOf, scriptOf, variablesOf } from './run-script.ts';
import { checkWorkspace, workspaceDefaults, workspaceMount, workspaceSpec } from './workspace.ts';

/** The container that decides the step's outcome, under KPO's name for it, unless the step or its template name another. */
export const BASE_CONTAINER = 'base';
/** The longest that GitHub lets a job run, and a margin for what comes after the pod: 6 h where it hosts the runner, 5 days elsewhere. A pod that is left to run has the longer time. */
const MARGIN_SECONDS = 600;
const LONGEST_JOB_SECONDS = { hosted: 6 * 3600, selfHosted: 5 * 24 * 3600 };

/** For so long the sidecar holds files that are to be fetched: the node gives it the pod's own grace after the base container's end. */
const HOLD_SECONDS = 300;
/** Kubernetes' own. */
const DEFAULT_GRACE_SECONDS = 30;

/** What is about to be created. */
export interface Plan {
  pod: V1Pod;
  /** The container that decides the outcome. */
  base: string;
  name: string;
  /** The name that was asked for, before it was made fit; absent where nobody asked for one. */
  nameGiven?: string;
  /** What becomes a Secret of the pod's own, right after it. */
  secrets: OwnedSecret[];
  /** How a result gets out of the pod; absent where none does. */
  resultIn?: ResultChannel;
  /** Set where nobody asked for a deadline. */
  defaultDeadlineSeconds?: number;
  /** @returns what the user wrote to get the part of the pod at `path`, e.g. `volume_mounts[1].name`. */
  originOf(path: string): string;
  /** @returns the input, or whatever else, that the part of the pod at `path` came from. */
  sourceOf(path: Path): string;
}

/** A plan with the namespace that the pod is created in. */
export interface PlacedPlan extends Plan {
  namespace: string;
  /** The pod with which the cluster is to delete this one: the runner's own. No part of what the step asks for, and another for each attempt. */
  owner?: PodIdentity;
}

/** @param namespace of the cluster's context, for a plan that names none */
export function placed(plan: Plan, namespace: string, owner?: PodIdentity): PlacedPlan {
  const metadata = { ...plan.pod.metadata, namespace: plan.pod.metadata?.namespace ?? namespace };
  const named = plan.pod.metadata?.namespace !== undefined;
  const isNamespace = (path: Path) => pathText(path) === 'metadata.namespace';
  return {
    ...plan,
    pod: { ...plan.pod, metadata },
    namespace: metadata.namespace,
    ...(owner && { owner }),
    sourceOf: path => (!named && isNamespace(path) ? "the cluster's context" : plan.sourceOf(path)),
  };
}

/** What sets one pod apart from every other of the same step. */
export interface PodMark {
  identity: StepIdentity;
  /** Unguessable, saved before the create: the pod that carries it is this attempt's. */
  nonce: string;
  /** When the pod is planned. */
  now: Date;
}

/**
 * Builds the pod: `pod_patch` > inputs > `full_pod_spec` > template > defaults, merged by Kubernetes' own keys.
 * @param report takes each problem, as a sentence that names its place
 */
export function planPod(
  sources: PodSources,
  { identity, nonce, now }: PodMark,
  report: (sentence: string) => void,
): Plan {
  const { inputs } = sources;
  const lifetime = lifetimeOf(inputs);
  const deadlineSeconds =
    (identity.hosted && lifetime !== 'detached' ? LONGEST_JOB_SECONDS.hosted : LONGEST_JOB_SECONDS.selfHosted) +
    MARGIN_SECONDS;
  const lower = [defaults(deadlineSeconds), ...templates(sources, report)];
  const template = new MergedPod(lower);
  const base = baseContainer(template, sources.pod.baseContainer, report);
  const { run } = inputs;
  const script = run && scriptOf(run);
  const ofTemplate = containerNamed(template.pod, base);
  const least = [...(run ? [variablesOf(run, ofTemplate)] : []), ...workspaceDefaults(inputs.files, ofTemplate)];
  const ofRun = run && script ? commandOf(run, script) : [];
  const layers = (owned: Fragment[]) => [
    ...lower,
    ...upper(withinWorkspace(sources), base, [...ofRun, ...owned], deadlineSeconds, least),
  ];

  const meant = new MergedPod(layers([]));
  const nameGiven = givenName(meant);
  const uniqueness = [identity.repositoryId, identity.runId, identity.runAttempt, identity.matrix, nonce].join('/');
  const name = podName(nameGiven ?? ownName(identity), inputs.randomNameSuffix ? uniqueness : undefined);
  const container = containerNamed(meant.pod, base);
  const owned = planOwnedSecrets(
    {
      ...sources.pod.owned,
      ...(script && { script }),
      ...(inputs.files.checkout?.token !== undefined && { token: inputs.files.checkout.token }),
    },
    textOf(container?.['image']),
    name,
    nonce,
    report,
  );
  const all = layers(owned.fragments);
  const merged = new MergedPod(all);

  sameRank([...sources.pod.fragments, ...owned.fragments], report);
  const at = (path: Path, sentence: string) => report(`${merged.originOf(path)}: ${sentence}`);
  if (container !== undefined && !container['image'])
    report('image: expected the image to run, e.g. python:3.13-slim; found nothing.');
  const sidecarFor = run ? 'no result for run, and no $GITHUB_OUTPUT' : inputs.files.download && 'no download';
  const resultIn = resultChannel(merged, base, { ...inputs.result, sidecarFor }, at);
  checkWorkspace(merged, base, inputs.files, at);
  enforce(merged, all, base, report);
  const deadline = Number(objectOf(merged.pod['spec'])['activeDeadlineSeconds']);
  const expiresAt = expiryOf(lifetime, now, deadline > 0 && deadline <= MOST_SECONDS ? deadline : deadlineSeconds);
  const hasGrace = objectOf(merged.pod['spec'])['terminationGracePeriodSeconds'] !== undefined;
  const holdsLonger = resultIn === 'sidecar' && inputs.files.download !== undefined && !hasGrace;
  const ownSpecs = [
    workspaceSpec(merged.pod, base, {
      files: inputs.files,
      ...(sources.pod.workspaceVolume && { volume: sources.pod.workspaceVolume }),
      ...(owned.tokenSecret !== undefined && { tokenSecret: owned.tokenSecret }),
    }),
    resultIn && specForResult(resultIn, merged.pod, base, sources),
    holdsLonger ? { terminationGracePeriodSeconds: HOLD_SECONDS } : undefined,
  ].flatMap(spec => (spec ? [{ from: OWN, pod: { spec } }] : []));
  const spec = ownSpecs.length > 0 && objectOf(new MergedPod(ownSpecs).pod['spec']);
  const own = ownLayer({
    name,
    identity,
    nonce,
    base,
    lifetime,
    expiresAt,
    ...(spec && { spec }),
    ...(holdsLonger && { graceSeconds: DEFAULT_GRACE_SECONDS }),
  });
  const digest = digestOf(new MergedPod([...all, own]).pod as V1Pod);
  const final = new MergedPod([
    ...all,
    own,
    { from: OWN, pod: { metadata: { annotations: { [PLAN_ANNOTATION]: digest } } } },
  ]);
  // A pod that has lost its base container is refused as it is; what was put in its place is nobody's fault.
  if (containerNamed(merged.pod, base) !== undefined)
    checkPod(final.pod, base, (path, sentence) =>
      report(`${authorOf(final, path, sources)}: ${withPlace(final, path, sentence)}`),
    );
  const finalSpec = objectOf(final.pod['spec']);
  return {
    pod: final.pod as V1Pod,
    base,
    name,
    ...(nameGiven !== undefined && { nameGiven }),
    secrets: owned.secrets,
    ...(resultIn && { resultIn }),
    ...(finalSpec['activeDeadlineSeconds'] === deadlineSeconds &&
      final.layerOf(['spec', 'activeDeadlineSeconds']).from === DEFAULTS && {
        defaultDeadlineSeconds: deadlineSeconds,
      }),
    originOf: path => authorOf(final, parsePath(path), sources),
    sourceOf: path => final.layerOf(path).from,
  };
}

/** @returns how a pod is to be deleted: its containers have no more time to end because its files are held longer */
export function deletionOf({ metadata, spec }: V1Pod): { graceSeconds?: number } {
  const { terminationGracePeriodSeconds: own } = spec ?? {};
  const annotation = metadata?.annotations?.[GRACE_ANNOTATION] ?? '';
  // Empty text is 0 to JavaScript, which is a kill.
  const seconds = /^[0-9]+$/.test(annotation) ? Number(annotation) : Number.NaN;
  return own !== undefined && seconds < own ? { graceSeconds: seconds } : {};
}

/** @returns the mark of the attempt that created a pod; empty for a pod that is none of this action's. */
export function nonceOf(pod: V1Pod): string {
  return pod.metadata?.annotations?.[NONCE_ANNOTATION] ?? '';
}

/** @returns what the pod's spec needs for a result to get out. */
function specForResult(
  channel: ResultChannel,
  pod: JsonObject,
  base: string,
  { inputs, pod: { resultSecurityContext, workspaceVolume } }: PodSources,
): JsonObject {
  const { sidecarImage: image, mode } = inputs.result;
  const files = [...(mode === 'none' ? [] : [RESULT_FILE]), ...(inputs.run ? Object.values(STEP_FILES) : [])];
  const spec =
    channel === 'message'
      ? { containers: [{ name: base, terminationMessagePath: RESULT_PATH }] }
      : resultSidecar(pod, base, files, {
          image,
          ...(resultSecurityContext && { securityContext: resultSecurityContext }),
          ...(inputs.files.download && { workspace: workspaceMount(inputs.files, workspaceVolume) }),
        });
  const own = objectsOf(containerNamed(pod, base)?.['env']).map(({ name }) => name);
  const variables = [
    ...(mode === 'none' || own.includes(RESULT_VARIABLE) ? [] : [{ name: RESULT_VARIABLE, value: RESULT_PATH }]),
    // Of these the step's own would be another's: what they name is the action's to read.
    ...(inputs.run ? Object.entries(STEP_FILES) : []).map(([name, file]) => ({
      name,
      value: posix.join(RESULT_FOLDER, file),
    })),
  ];
  if (variables.length === 0) return spec;
  return new MergedPod([
    { from: OWN, pod: { spec } },
    { from: OWN, pod: { spec: { containers: [{ name: base, env: variables }] } } },
  ]).pod['spec'] as JsonObject;
}

/** @returns the sources, with a working directory that is relative to the workspace, as a step's own is, made absolute */
function withinWorkspace(sources: PodSources): PodSources {
  const { workspace } = sources.inputs.files;
  if (workspace === undefined) return sources;
  const fragments = sources.pod.fragments.map(fragment => {
    const folder = fragment.of === 'container' ? fragment.fields['workingDir'] : undefined;
    if (typeof folder !== 'string' || folder.startsWith('/')) return fragment;
    return { ...fragment, fields: { ...fragment.fields, workingDir: posix.join(workspace.path, folder) } };
  });
  return { ...sources, pod: { ...sources.pod, fragments } };
}

/** @returns the base container's name: the one asked for, else `base`, else the template's first, which keeps its name. */
function baseContainer(
  template: MergedPod,
  asked: PodInputs['baseContainer'],
  report: (sentence: string) => void,
): string {
  const names = containersOf(template.pod).flatMap(({ name }) => (typeof name === 'string' ? [name] : []));
  if (asked === undefined) return names.includes(BASE_CONTAINER) ? BASE_CONTAINER : (names[0] ?? BASE_CONTAINER);
  const { name, from } = asked;
  if (names.length > 0 && !names.includes(name))
    report(`${from}: the template has no container "${name}"; it has ${names.join(', ')}.${didYouMean(name, names)}`);
  return name;
}

/** @returns the name that an input or a template has, before it is made fit. */
function givenName({ pod }: MergedPod): string | undefined {
  const { name, generateName } = objectOf(pod['metadata']);
  return textOf(name) || textOf(generateName)?.replace(/-+$/, '') || undefined;
}

/** @returns a name from the job's and the step's id. The runner makes up an id such as `__run_2` for a step without. */
function ownName(identity: StepIdentity): string {
  return [identity.job, identity.step.replace(/^_+/, '')].filter(part => part !== '').join('-') || 'pod-step';
}

/** @returns who is to see to a problem: of what the workspace is on the user has spoken, though the volume is the action's. */
function authorOf(merged: MergedPod, path: Path, { pod: { workspaceVolume } }: PodSources): string {
  const origin = merged.originOf(path);
  const isVolume = path.some(step => step === 'volumes' || step === 'volumeMounts');
  return origin === OWN && isVolume && workspaceVolume ? 'workspace_volume' : origin;
}

/** Says where in the pod a problem is, where the input alone does not. */
function withPlace(merged: MergedPod, path: Path, sentence: string): string {
  const origin = merged.originOf(path);
  return origin === DEFAULTS || origin === OWN ? `${pathText(path)} ${sentence}` : sentence;
}
