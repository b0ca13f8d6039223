import { jest } from '@jest/globals';
import { ApiClient } from '../../src/kubernetes/client.ts';
import { findCluster } from '../../src/kubernetes/config.ts';
import type { FakeApiServer } from '../support/fake-api-server.ts';

/**
 * Jest runs tests in a realm of their own, where the errors that Node makes (ECONNREFUSED) are no instances of `Error`. Outside of it they are.
 */
for (const kind of [Error, AggregateError]) {
  Object.defineProperty(kind, Symbol.hasInstance, {
    value(this: unknown, error: unknown) {
      const own = Function.prototype[Symbol.hasInstance].call(this as typeof Error, error);
      const foreign = Object.prototype.toString.call(error) === '[object Error]';
      return own || (this === kind && foreign && (kind === Error || 'errors' in (error as object)));
    },
  });
}

/** A client of the server, in this process, and what it has told. */
export interface Connected {
  client: ApiClient;
  /** `lost: connection refused (60 s)`, `back`, `warned: ...` and `GET /api... -> 200`. */
  told: string[];
  /** What it asked to have masked. */
  credentials: string[];
}

export function connectTo(server: Pick<FakeApiServer, 'kubeconfig'>): Connected {
  const told: string[] = [];
  const credentials: string[] = [];
  const client = new ApiClient(findCluster({ kubeconfig: server.kubeconfig }, {}), {
    lost: (_, what, patienceSeconds) => told.push(`lost: ${what} (${patienceSeconds} s)`),
    back: () => told.push('back'),
    failing: what => told.push(`failing: ${what}`),
    credential: secret => credentials.push(secret),
    warned: text => told.push(`warned: ${text}`),
  });
  return { client, told, credentials };
}

/** The pauses between tries are jittered: here to a fiftieth of what they are, until the mocks are restored. */
export function shortPauses(): void {
  jest.spyOn(Math, 'random').mockReturnValue(-0.48);
}

export const podManifest = (name = 'p', annotations: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', annotations },
  spec: { restartPolicy: 'Never', containers: [{ name: 'base', image: 'busybox' }] },
});

export const noSignal = () => new AbortController().signal;
