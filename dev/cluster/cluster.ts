/** The words shared by everything in this folder: what a cluster is to the tests and the demo. */

export type Report = (line: string) => void;

/** `named`: the user's own, by environment variable; `kind`: Kubernetes in Docker; `one-node`: built and run here. */
export type Provider = 'named' | 'kind' | 'one-node';

export interface Images {
  /** Has sh, tar, base64, sha256sum and the rest of busybox; runs as root. */
  shell: string;
  /** One static binary as entry point and nothing else; see images/no-shell/main.go for its words. */
  noShell: string;
  /** The shell image, run as user and group 10001. */
  nonRoot: string;
  /** The shell image with git. */
  git: string;
}

export interface Cluster {
  name: string;
  provider: Provider;
  /** Path of a kubeconfig whose current context is this cluster. */
  kubeconfig: string;
  /** Whether this call started it; false when it was up already. */
  started: boolean;
  images: Images;
  /** Path of a kubectl: the built one for one-node, else the one on PATH, if any. */
  kubectl: string | undefined;
}

export interface Options {
  /** The kubelet rotates a container's log at this size, e.g. `1Mi` (default 10Mi); one it never reaches, e.g. `1Ti`, is no rotation. one-node only. */
  logMaxSize?: string;
  /** How many files of a container's log it keeps, the one being written among them (default 5; at least 2). one-node only. */
  logMaxFiles?: number;
  /** How often it looks at the sizes (default 3; Kubernetes' own is 10). one-node only. */
  logMonitorSeconds?: number;
  /** More flags for kube-apiserver, e.g. `--authentication-config=/path`. one-node only. */
  apiServerFlags?: string[];
  /** More flags for kube-controller-manager, which win over its own. one-node only. */
  controllerManagerFlags?: string[];
  /** Fields of the kubelet's KubeletConfiguration, which win over its own. one-node only. */
  kubeletSettings?: object;
  /** Address of the D-Bus on which the kubelet asks systemd-logind to tell it of a shutdown, e.g. `unix:path=/path`. one-node only. */
  systemBus?: string;
  /** YAML of an audit policy; events go to `log/audit.log` in the cluster's state folder. one-node only. */
  auditPolicy?: string;
}

export const localImages: Images = {
  shell: 'localhost/pod-step/shell:1',
  noShell: 'localhost/pod-step/no-shell:1',
  nonRoot: 'localhost/pod-step/non-root:1',
  git: 'localhost/pod-step/git:1',
};
