import type { ObjectMetadata } from '../kubernetes/metadata.ts';
import { NONCE_ANNOTATION, REPOSITORY_ANNOTATION, RUN_ID_LABEL, RUN_URL_ANNOTATION } from '../pod/identity.ts';
import { EXPIRY_ANNOTATION, isLifetime, LIFETIME_LABEL, type Lifetime } from '../pod/lifetime.ts';

/** A pod of a step of this repository, by what the step has written on it. */
export interface MarkedPod {
  name: string;
  uid: string;
  /** Digits. */
  runId: string;
  lifetime: Lifetime;
  created: Date;
  /** When it may go whatever became of its run; `undefined` where that is not written, or cannot be read. */
  expires: Date | undefined;
  /** Somebody deletes it already. */
  terminating: boolean;
}

/** A pod that looks like one and is not, in one point. */
export interface LookAlike {
  name: string;
  /** What is wrong with it. None of its own text is in it. */
  lacks: string;
}

/** A run's id, with which GitHub can be asked for it: more digits are no number any more. */
const RUN_ID = /^[1-9][0-9]{0,14}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
/** As `expiryOf` writes it, or another of RFC 3339's ways. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/**
 * Whose a pod is that has the label of this repository's id. A pod of the action carries all of this, so one that lacks a part is somebody else's, or somebody has changed it: neither is ours to delete.
 * The repository's name may be another one, for a repository that is renamed or transferred keeps its id, and its runs.
 */
export function readMarks(metadata: ObjectMetadata): MarkedPod | LookAlike {
  const { name = '', uid = '', labels = {}, annotations = {} } = metadata;
  const created = timeOf(metadata.creationTimestamp);
  const runId = labels[RUN_ID_LABEL] ?? '';
  const lifetime = labels[LIFETIME_LABEL] ?? '';
  const lacks = (what: string): LookAlike => ({ name, lacks: what });
  if (name === '' || uid === '' || created === undefined) return lacks('it has no name, UID or time of creation');
  if (!RUN_ID.test(runId)) return lacks('its run-id is no number');
  if (!UUID.test(annotations[NONCE_ANNOTATION] ?? '')) return lacks('it has no nonce');
  if (!annotations[REPOSITORY_ANNOTATION]) return lacks('it names no repository');
  if (!isLifetime(lifetime)) return lacks('its lifetime is none that there is');
  const url = annotations[RUN_URL_ANNOTATION];
  if (url !== undefined && runIn(url) !== runId) return lacks('its run-url is not that of its run-id');
  const expires = timeOf(annotations[EXPIRY_ANNOTATION]);
  return { name, uid, runId, lifetime, created, expires, terminating: metadata.deletionTimestamp !== undefined };
}

/** @returns the run's id in a URL of GitHub's, if that is one */
function runIn(url: string): string | undefined {
  return /^https?:\/\/[^\s/]+\/[^\s/]+\/[^\s/]+\/actions\/runs\/([0-9]+)(?:\/attempts\/[0-9]+)?$/.exec(url)?.[1];
}

function timeOf(text: string | undefined): Date | undefined {
  if (text === undefined || !TIME.test(text)) return undefined;
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? undefined : time;
}
