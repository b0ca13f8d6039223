import type { V1Pod } from '@kubernetes/client-node';
import { RUN_URL_ANNOTATION } from '../pod/identity.ts';

/** Anybody who may create pods can write the annotation. */
const RUN_URL = /^https:\/\/[\w.:-]+\/[\w.-]+\/[\w.-]+\/actions\/runs\/\d+(\/attempts\/\d+)?$/;

/** @returns the web page of the run that made a pod, if that is what the pod says. */
export function runUrlOf({ metadata }: V1Pod): string | undefined {
  const url = metadata?.annotations?.[RUN_URL_ANNOTATION];
  return url !== undefined && RUN_URL.test(url) ? url : undefined;
}
