import { describe, expect, test } from '@jest/globals';
import { read, refusal } from './given.ts';

const address = { cluster_url: 'https://c.example:6443', cluster_token: 't' };

describe('cluster_url', () => {
  test.each(['https://c.example', 'https://c.example:6443/', 'https://c.example/clusters/a', 'http://localhost:8001'])(
    'may be %s',
    cluster_url => {
      expect(read({ ...address, cluster_url }).cluster.url).toBe(cluster_url);
    },
  );

  test.each([
    [
      'without a scheme',
      'c.example:6443',
      'cluster_url: expected an address that begins with https://, found "c.example:6443".',
    ],
    ['with no host', 'https://', 'cluster_url: expected an address that begins with https://, found "https://".'],
    [
      'with a path of the API',
      'https://c.example/api/v1',
      'cluster_url: expected the address of the API server alone, without the path /api/v1.',
    ],
  ])('is refused %s', (_, cluster_url, text) => {
    expect(refusal({ ...address, cluster_url }).text).toBe(text);
  });

  test('has no contexts to choose among', () => {
    expect(refusal({ ...address, cluster_context: 'a' }).text).toBe(
      'cluster_context: it chooses among the contexts of a kubeconfig, and with cluster_url there is none.',
    );
  });
});
