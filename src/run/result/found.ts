/** What a container has left for a result. */
export type Found =
  | { kind: 'none' }
  | { kind: 'content'; bytes: Buffer }
  /** A failed container's last words, not meant as a result. */
  | { kind: 'message'; message: string }
  | { kind: 'unusable'; sentence: string; remedy: string };
