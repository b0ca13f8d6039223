import type { RecordedRequest } from './faults.ts';
import type { Reply } from './kubernetes-replies.ts';

/**
 * A list as the API server pages it (`limit`, `continue`), and of which it sends the metadata alone where that is asked for.
 * The token of the next page is opaque to clients: here it is the place in the list.
 */
export function listReply(
  kind: string,
  items: readonly { metadata: object }[],
  resourceVersion: string,
  { query, headers }: Pick<RecordedRequest, 'query' | 'headers'>,
): Reply {
  const metadataOnly = /^application\/json;as=PartialObjectMetadataList;v=v1;g=meta\.k8s\.io$/.test(
    headers['accept'] ?? '',
  );
  const from = Number(query['continue'] || 0);
  const to = from + Number(query['limit'] || items.length);
  const rest = Math.max(0, items.length - to);
  const metadata = { resourceVersion, ...(rest > 0 && { continue: String(to), remainingItemCount: rest }) };
  const page = items.slice(from, to);
  if (!metadataOnly) return { code: 200, body: { kind, apiVersion: 'v1', metadata, items: page } };
  // As Go writes a list that nothing was added to [measured].
  const partial = page.length === 0 ? null : page.map(item => ({ metadata: item.metadata }));
  const type = { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' };
  return { code: 200, body: { ...type, metadata, items: partial } };
}
