import type { CoreV1Event, V1Pod } from '@kubernetes/client-node';
import { localImages } from '../../../dev/cluster/cluster.ts';
import type { Reason } from '../../../src/github/failure.ts';
import type { Namespace } from '../../support/cluster.ts';
import type { RunningStep } from '../../support/step-runner.ts';

/** What a scenario has at hand to make its failure with. */
export interface Place {
  namespace: Namespace;
  /** Of the whole cluster. */
  kubectl(args: string[], stdin?: string): Promise<string>;
  /** `host:port` of the registry that answers as the image's name says, see StubRegistry. */
  registry: string;
  /** The name of its node. */
  node: string;
}

/** What there is beside it once the step runs. */
export interface Stage extends Place {
  step: RunningStep;
  /** The step's pod, once it is as wanted. */
  pod(isAsWanted: (pod: V1Pod) => boolean, timeoutMs?: number): Promise<V1Pod>;
}

/** The cluster of those that disturb others. */
export const OWN_CLUSTER = 'test-failures';

/** The image of what stands beside the step's own container; as dev/cluster finds it. */
export const SHELL = process.env['POD_STEP_TEST_IMAGE_SHELL'] || localImages.shell;

export type Inputs = Record<string, string>;

/** @returns the inputs that run a shell script. */
export function sh(text: string): Inputs {
  return { cmds: '[sh, -c]', arguments: JSON.stringify([text]) };
}

export function isRunning({ status }: V1Pod): boolean {
  return status?.containerStatuses?.some(({ name, state }) => name === 'base' && state?.running !== undefined) === true;
}

/** One way to fail, made for real. */
export interface Scenario {
  /** What happens, for the docs. */
  name: string;
  /** The step's inputs; `cmds` is `true` unless they say otherwise. */
  inputs: Inputs | ((place: Place) => Inputs | Promise<Inputs>);
  /** Set where the namespace has to be its own. */
  alone?: true;
  /** Set where the node must be this machine, e.g. for a registry on its loopback. */
  sameMachine?: true;
  before?(place: Place): Promise<unknown>;
  during?(stage: Stage): Promise<unknown>;
  after?(place: Place): Promise<unknown>;
  expected: Expected;
  /** The report that shows that there is no hope, from which the time to the verdict counts; a base container or pod that has ended, or a pod that is gone, where it is not told. */
  shownBy?: ShownBy;
  /** Set where the order of the pod's states matters, so that all are recorded. */
  inOrder?: true;
  /** The verdict takes so long by design, e.g. a grace, or a time-out of the inputs. In seconds. */
  takes?: number;
  /** How long it lasts all in all, where that is not short, so that it is begun early. In seconds. */
  lasts?: number;
}

export interface ShownBy {
  pod?(pod: V1Pod): boolean;
  event?(event: CoreV1Event): boolean;
}

/** What the step has to say. */
export interface Expected {
  /** The annotation's. */
  title: string;
  /** The annotation, with NS, POD, NODE, REGISTRY, and N for seconds; `…` stands for words that differ by version of the cluster’s parts. */
  says: string;
  /** Absent where the step succeeds and the annotation is a warning. */
  reason?: Reason;
  exitCode?: number;
  /** Set where the container or its node goes before its log has been read to the end, which a warning may tell. */
  logMayBeLost?: true;
  /** What it says where the node was too busy to have got as far by then. */
  slowSays?: string;
  /** Set where the kubelet may have forgotten the container, and with it the exit code, by the time it says that the pod is over. */
  endMayBeLost?: true;
}
