import * as core from '@actions/core';

/**
 * What the main step leaves for the post step, which runs as a process of its own, also after the main one was killed.
 * It is saved before the pod is created, so the post step finds a pod whose create answer never arrived.
 */
export interface SavedPod {
  /** The API server's address: a later step may have changed what the runner has for a kubeconfig. */
  server: string;
  namespace: string;
  name: string;
  /** Marks the pod as this attempt's (see NONCE_ANNOTATION): a pod of that name without it is somebody else's. */
  nonce: string;
}

export function savePod(pod: SavedPod): void {
  save('pod', JSON.stringify(pod));
}

/** Says that the main step has done what `on_finish_action` asks for, so the post step has nothing to do. */
export function saveTidy(): void {
  save('tidy', 'true');
}

/** @returns the pod that the main step had planned, unless it has seen to it itself. */
export function podLeftBehind(): SavedPod | undefined {
  const pod = core.getState('pod');
  return pod === '' || core.getState('tidy') === 'true' ? undefined : (JSON.parse(pod) as SavedPod);
}

/** Without `GITHUB_STATE`, so outside a workflow, nothing happens: core's fallback prints a command, and stdout belongs to the job log alone. */
function save(name: string, value: string): void {
  if (process.env['GITHUB_STATE']) core.saveState(name, value);
}
