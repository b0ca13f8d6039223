import { randomUUID } from 'node:crypto';
import * as core from '@actions/core';
import type { OnFinishAction, OnKillAction } from './inputs/inputs.ts';

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
  /** Known once the server has answered. */
  uid?: string;
  /** Of a pod of an earlier attempt that was about to be taken over: it has been if it carries this (see CLAIM_ANNOTATION). */
  mark?: string;
  /** The container that decides. */
  base: string;
  /** What is to become of it: when its container has ended, and when it has not. */
  onFinishAction: OnFinishAction;
  onKillAction: OnKillAction;
  /** Exit codes of the container that are no failure. */
  skipOnExitCodes: number[];
}

/** The pods of one step are told apart by what they are saved under: a step that tries again has several. */
const KEY = /^STATE_pod_([0-9a-f-]+)$/;

/** What the post step is told of one pod. */
export class PodRecord {
  readonly #id = randomUUID();

  /** Saves what is known of the pod, again when more is. */
  save(pod: SavedPod): void {
    save(`pod_${this.#id}`, JSON.stringify(pod));
  }

  /** The main step has done with the pod what it was to do, so the post step has nothing to do. */
  settle(): void {
    save(`settled_${this.#id}`, 'true');
  }
}

/** @returns the pods that the main step had planned, but for those that it has seen to itself. */
export function podsLeftBehind(): SavedPod[] {
  return Object.entries(process.env).flatMap(([name, value = '']) => {
    const id = KEY.exec(name)?.[1];
    return id === undefined || core.getState(`settled_${id}`) === 'true' ? [] : [JSON.parse(value) as SavedPod];
  });
}

/** Without `GITHUB_STATE`, so outside a workflow, nothing happens: core's fallback prints a command, and stdout belongs to the job log alone. */
function save(name: string, value: string): void {
  if (process.env['GITHUB_STATE']) core.saveState(name, value);
}
