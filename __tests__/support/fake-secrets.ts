import { listReply } from './fake-lists.ts';
import { selects } from './fake-routes.ts';
import type { RecordedRequest } from './faults.ts';
import { type Reply, status } from './kubernetes-replies.ts';

export interface FakeSecret {
  metadata: {
    name: string;
    uid: string;
    labels?: Record<string, string>;
    ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string }[];
  };
  data?: Record<string, string>;
}

/** Secrets that somebody has made, to be listed and deleted. */
export class FakeSecrets {
  readonly all: FakeSecret[];

  constructor(secrets: readonly FakeSecret[]) {
    this.all = [...secrets];
  }

  list(request: RecordedRequest): Reply {
    const selected = this.all.filter(secret => selects(request.query, { status: { phase: '' }, ...secret }));
    return listReply('SecretList', selected, '1', request);
  }

  remove(name: string, { method, body }: RecordedRequest): Reply {
    const index = this.all.findIndex(({ metadata }) => metadata.name === name);
    const secret = this.all[index];
    if (method !== 'DELETE' || secret === undefined)
      return status(404, 'NotFound', `secrets "${name}" not found`, { name, kind: 'secrets' });
    const { preconditions } = (body ?? {}) as { preconditions?: { uid?: string } };
    if (preconditions?.uid !== undefined && preconditions.uid !== secret.metadata.uid)
      return status(409, 'Conflict', 'Precondition failed: UID in precondition does not match');
    this.all.splice(index, 1);
    return { code: 200, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' } };
  }
}
