/** What a container has left for a result. */
export type Found =
  /** @property why half a sentence, where there is something that does not count */
  | { kind: 'none'; why?: string }
  | { kind: 'content'; bytes: Buffer }
  /** A failed container's last words, not meant as a result. */
  /** @property warning what may have become of a result */
  | { kind: 'message'; message: string; warning?: string }
  | { kind: 'unusable'; sentence: string; remedy: string };
