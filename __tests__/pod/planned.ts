import type { V1Container, V1EnvVar, V1ObjectMeta, V1Pod, V1PodSpec } from '@kubernetes/client-node';
import type { StepError } from '../../src/github/failure.ts';
import { readIdentity, type StepIdentity } from '../../src/github/identity.ts';
import { readInputs, refuseProblems } from '../../src/github/inputs/inputs.ts';
import type { InputReader } from '../../src/github/inputs/reader.ts';
import { parseYaml } from '../../src/github/yaml.ts';
import { BASE_CONTAINER_ANNOTATION, PLAN_ANNOTATION } from '../../src/pod/identity.ts';
import { conformPod, readPodInputs } from '../../src/pod/inputs/pod-inputs.ts';
import { EXPIRY_ANNOTATION, LIFETIME_LABEL } from '../../src/pod/lifetime.ts';
import { type Plan, planPod } from '../../src/pod/manifest.ts';
import { RESULT_PATH, RESULT_VARIABLE } from '../../src/pod/result.ts';
import { type Around as AroundInputs, reading, refusalOf } from '../github/inputs/given.ts';

export interface Around extends AroundInputs {
  identity?: StepIdentity;
  nonce?: string;
  /** The pod of the template file, as YAML. */
  template?: string;
}

/** Outside a workflow: the pod says nothing about a run. */
export const nobody = readIdentity({});
/** When these pods are planned. */
export const NOW = new Date('2026-11-01T12:00:00Z');
export const TEMPLATE_FILE = 'pod.yaml';

/** The plan that these inputs make, with what is said of them. */
export function planned(
  given: Record<string, string>,
  around: Around = {},
): { plan: Plan; reader: InputReader; warnings: string[]; notices: string[] } {
  const { identity = nobody, nonce = 'n0nce', template } = around;
  const reader = reading({ ...(template !== undefined && { pod_template_file: TEMPLATE_FILE }), ...given }, around);
  const [inputs, pod] = [readInputs(reader), readPodInputs(reader)];
  const report = (sentence: string) => void reader.problems.push(sentence);
  const conformed = template === undefined ? undefined : conformPod(parseYaml(template), false, report);
  const templateFile = conformed && { file: TEMPLATE_FILE, pod: conformed };
  const plan = planPod({ inputs, pod, ...(templateFile && { templateFile }) }, { identity, nonce, now: NOW }, report);
  reader.unknownInputs();
  return { plan, reader, warnings: [...reader.warnings], notices: [...reader.notices] };
}

/** The plan of inputs that nothing is wrong with. */
export function planOf(given: Record<string, string>, around: Around = {}): Plan {
  const { plan, reader } = planned(given, around);
  refuseProblems(reader);
  return plan;
}

/** The pod of inputs that nothing is wrong with. */
export const podOf = (given: Record<string, string>, around: Around = {}): V1Pod => planOf(given, around).pod;

/** The base container of inputs that nothing is wrong with, without the variable that tells where a result goes. */
export function baseOf(given: Record<string, string>, around: Around = {}): V1Container {
  const { pod, base } = planOf(given, around);
  const container = pod.spec?.containers.find(({ name }) => name === base);
  if (container === undefined) throw new Error('The pod has no base container.');
  const { env = [], ...rest } = container;
  const own = env.filter(({ name }) => name !== RESULT_VARIABLE);
  return own.length > 0 ? { ...rest, env: own } : rest;
}

/** What tells the base container where a result goes, behind all other variables. */
export const RESULT_ENV: V1EnvVar = { name: RESULT_VARIABLE, value: RESULT_PATH };

/** The error that these inputs are refused with. */
export function refusal(given: Record<string, string>, around: Around = {}): StepError {
  return refusalOf(() => planOf(given, around));
}

/** What is set in a pod. */
export interface Parts {
  metadata?: Partial<V1ObjectMeta>;
  spec?: Partial<V1PodSpec>;
  container?: Partial<V1Container>;
}

/** The pod of a step that gives nothing but `image`, with these parts set too. */
export function leastPodWith({ metadata, spec, container }: Parts, around: Around = {}): V1Pod {
  const least = podOf({}, around);
  const [base] = least.spec?.containers ?? [];
  return {
    ...least,
    metadata: {
      ...least.metadata,
      ...metadata,
      labels: { ...least.metadata?.labels, ...metadata?.labels },
      annotations: { ...least.metadata?.annotations, ...metadata?.annotations },
    },
    spec: {
      ...least.spec,
      containers: [{ ...base, ...container, env: [...(container?.env ?? []), RESULT_ENV] } as V1Container],
      ...spec,
    },
  };
}

const MARKS = [EXPIRY_ANNOTATION, BASE_CONTAINER_ANNOTATION, PLAN_ANNOTATION];

/** The pod without what the action says of its life, and of which container decides. */
export function unmarked(pod: V1Pod): V1Pod {
  const { [LIFETIME_LABEL]: _, ...labels } = pod.metadata?.labels ?? {};
  const all = Object.entries(pod.metadata?.annotations ?? {});
  const annotations = Object.fromEntries(all.filter(([key]) => !MARKS.includes(key)));
  return { ...pod, metadata: { ...pod.metadata, labels, annotations } };
}
