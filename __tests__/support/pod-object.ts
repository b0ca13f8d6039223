/** The parts of a pod that the fake cluster looks at; everything else is kept as it came. Times are strings, as on the wire. */
export interface PodObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace: string;
    uid: string;
    resourceVersion: string;
    creationTimestamp: string;
    deletionTimestamp?: string;
    deletionGracePeriodSeconds?: number;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    [field: string]: unknown;
  };
  spec: {
    containers: ContainerObject[];
    initContainers?: ContainerObject[];
    nodeName?: string;
    restartPolicy?: string;
    terminationGracePeriodSeconds?: number;
    [field: string]: unknown;
  };
  status: {
    phase: string;
    reason?: string;
    message?: string;
    conditions?: ConditionObject[];
    containerStatuses?: ContainerStatusObject[];
    initContainerStatuses?: ContainerStatusObject[];
    [field: string]: unknown;
  };
}

export interface ContainerObject {
  name: string;
  image?: string;
  restartPolicy?: string;
  [field: string]: unknown;
}

export interface ConditionObject {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

export interface ContainerStatusObject {
  name: string;
  image: string;
  imageID: string;
  containerID?: string;
  ready: boolean;
  started: boolean;
  restartCount: number;
  state: ContainerState;
  lastState: ContainerState;
}

export interface ContainerState {
  waiting?: { reason: string; message?: string };
  running?: { startedAt: string };
  terminated?: {
    exitCode: number;
    reason: string;
    message?: string;
    signal?: number;
    startedAt: string;
    finishedAt: string;
    containerID?: string;
  };
}
