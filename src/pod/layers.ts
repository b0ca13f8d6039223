import type { StepIdentity } from '../github/identity.ts';
import type { Inputs } from '../github/inputs/inputs.ts';
import {
  BASE_CONTAINER_ANNOTATION,
  GRACE_ANNOTATION,
  identityAnnotations,
  identityLabels,
  NONCE_ANNOTATION,
} from './identity.ts';
import type { Fragment } from './inputs/fragment.ts';
import type { PodInputs } from './inputs/pod-inputs.ts';
import type { JsonObject } from './json.ts';
import { EXPIRY_ANNOTATION, LIFETIME_LABEL, type Lifetime } from './lifetime.ts';
import type { Layer } from './merge.ts';
import { RESULT_SIDECAR } from './result.ts';

/** Everything that says what the pod is to be. */
export interface PodSources {
  inputs: Inputs;
  pod: PodInputs;
  /** The pod of `pod_template_file`, rendered. */
  templateFile?: { file: string; pod: JsonObject };
}

/** What the sources that nobody wrote are called. */
export const DEFAULTS = 'default';
export const OWN = 'the action';

const DEFAULT_LABELS = { 'app.kubernetes.io/managed-by': 'kubernetes-pod-step' };

export function defaults(activeDeadlineSeconds: number): Layer {
  return {
    from: DEFAULTS,
    pod: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { labels: DEFAULT_LABELS },
      spec: { restartPolicy: 'Never', activeDeadlineSeconds },
    },
  };
}

/** The template, from a file or from the step, and the full pod over it. */
export function templates({ pod, templateFile, inputs }: PodSources, report: (sentence: string) => void): Layer[] {
  const layers: Layer[] = [];
  if (inputs.podTemplateFile !== undefined && pod.podTemplateDict !== undefined)
    report('pod_template_dict: pod_template_file is given too. Keep the one that is meant.');
  if (templateFile !== undefined)
    layers.push({ from: `pod_template_file (${templateFile.file})`, pod: templateFile.pod, root: [] });
  if (pod.podTemplateDict !== undefined) layers.push({ ...pod.podTemplateDict, root: [] });
  if (pod.fullPodSpec !== undefined) layers.push({ ...pod.fullPodSpec, root: [] });
  return layers;
}

/**
 * The inputs, and the patch over them.
 * @param least what any of them wins over
 */
export function upper(
  { pod }: PodSources,
  base: string,
  owned: Fragment[],
  deadlineSeconds: number,
  least: Fragment[] = [],
): Layer[] {
  const from = pod.baseContainer?.from ?? DEFAULTS;
  const layers: Layer[] = [
    { from, pod: { spec: { containers: [{ name: base }] } } },
    ...[...least, ...pod.fragments, ...owned].map(fragment => layerOf(fragment, base)),
    keptDefaults(pod.fragments, deadlineSeconds),
  ];
  if (pod.podPatch !== undefined) layers.push({ ...pod.podPatch, root: [], strategic: true });
  return layers;
}

/** The defaults of what an input takes away: those of a template are meant. */
function keptDefaults(fragments: Fragment[], activeDeadlineSeconds: number): Layer {
  const taken = (field: string) => fragments.some(({ fields }) => fields[field] === null);
  return {
    from: DEFAULTS,
    pod: {
      ...(taken('labels') && { metadata: { labels: DEFAULT_LABELS } }),
      ...(taken('activeDeadlineSeconds') && { spec: { activeDeadlineSeconds } }),
    },
  };
}

function layerOf({ from, of, fields, mirrors }: Fragment, base: string): Layer {
  if (of === 'container') {
    const root = mirrors === undefined ? {} : { root: ['spec', 'containers', 0, mirrors] };
    return { from, pod: { spec: { containers: [{ name: base, ...fields }] } }, ...root };
  }
  // The pull Secret of the step's own comes beside what the user has.
  const strategic = from === 'registry_username';
  return { from, pod: { [of]: fields }, ...(mirrors !== undefined && { root: [of, mirrors] }), strategic };
}

/** What the action says of the pod itself. */
export interface OwnMarks {
  name: string;
  identity: StepIdentity;
  nonce: string;
  base: string;
  lifetime: Lifetime;
  /** RFC 3339. */
  expiresAt: string;
  /** What the pod's spec needs for its workspace, and for a result to get out. */
  spec?: JsonObject;
  /** How long the containers have to end when the pod is deleted, where the pod itself has longer. */
  graceSeconds?: number;
}

/** What no input may change, and no patch. */
export function ownLayer({ name, identity, nonce, base, lifetime, expiresAt, spec, graceSeconds }: OwnMarks): Layer {
  return {
    from: OWN,
    // Of the native sidecars the node ends the last first, and each is waited for.
    lastInit: RESULT_SIDECAR,
    pod: {
      metadata: {
        name,
        generateName: null,
        labels: { ...identityLabels(identity), [LIFETIME_LABEL]: lifetime },
        annotations: {
          ...identityAnnotations(identity),
          [BASE_CONTAINER_ANNOTATION]: base,
          [EXPIRY_ANNOTATION]: expiresAt,
          [NONCE_ANNOTATION]: nonce,
          ...(graceSeconds !== undefined && { [GRACE_ANNOTATION]: String(graceSeconds) }),
        },
      },
      ...(spec && { spec }),
    },
  };
}
