import type { ObjectMetadata } from '../../src/kubernetes/metadata.ts';

/** Of the repository that the step runner's jobs are in. */
export const REPOSITORY_ID = '1296269';

/** What a changed copy has in place of the original; `undefined` takes away. */
export interface Changes {
  labels?: Record<string, string | undefined>;
  annotations?: Record<string, string | undefined>;
  metadata?: Record<string, unknown>;
}

/** The metadata of a pod as the action makes them. Keys of labels and annotations are without our prefix. */
export function metadataOf(name: string, runId: string, changes: Changes = {}): ObjectMetadata & { name: string } {
  const marks = (own: Record<string, string>, changed: Record<string, string | undefined> = {}) =>
    Object.fromEntries(
      Object.entries({ ...own, ...changed }).flatMap(([key, value]) =>
        value === undefined ? [] : [[key.includes('/') ? key : `kubernetes-pod-step/${key}`, value]],
      ),
    );
  return {
    name,
    uid: `00000000-0000-4000-8000-${Buffer.from(name).toString('hex').padStart(12, '0').slice(-12)}`,
    creationTimestamp: '2026-11-20T08:00:00Z',
    labels: marks(
      {
        'app.kubernetes.io/managed-by': 'kubernetes-pod-step',
        repository: 'octo-repo-a1b2c3d4',
        'repository-id': REPOSITORY_ID,
        'run-id': runId,
        'run-attempt': '1',
        lifetime: 'owned',
      },
      changes.labels,
    ),
    annotations: marks(
      {
        repository: 'octo/repo',
        'run-url': `https://github.com/octo/repo/actions/runs/${runId}/attempts/1`,
        nonce: '0b8ac1d4-6f5e-4c62-9c52-0d6f6a2f9d11',
        'expires-at': '2026-11-22T08:00:00Z',
      },
      changes.annotations,
    ),
    ...changes.metadata,
  };
}
