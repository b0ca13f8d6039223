import type { FakeAnswer } from './fake-answer.ts';
import type { RecordedRequest } from './faults.ts';
import type { Reply } from './kubernetes-replies.ts';

/** The events that the fake cluster has, for lists and for watches. It gives all to everyone who asks. */
export class FakeEvents {
  readonly #items: unknown[];
  readonly #watchers = new Set<(item: unknown) => void>();

  constructor(items: readonly unknown[]) {
    this.#items = [...items];
  }

  add(item: unknown): void {
    this.#items.push(item);
    for (const watcher of this.#watchers) watcher(item);
  }

  list(): Reply {
    const metadata = { resourceVersion: String(this.#items.length) };
    return { code: 200, body: { kind: 'EventList', apiVersion: 'v1', metadata, items: this.#items } };
  }

  watch({ query }: RecordedRequest, answer: FakeAnswer): void {
    answer.stream(200, { 'Content-Type': 'application/json' });
    const send = (object: unknown): void => answer.write(`${JSON.stringify({ type: 'ADDED', object })}\n`);
    this.#items.slice(Number(query['resourceVersion'] ?? 0)).forEach(send);
    this.#watchers.add(send);
    answer.onEnd(() => this.#watchers.delete(send));
  }
}
