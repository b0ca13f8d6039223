import type { V1Pod } from '@kubernetes/client-node';
import type { ObservedPod, PodView } from '../../src/run/observe.ts';

/** A pod as {@link ObservedPod} shows it, moved by hand. */
export class ShownPod implements Pick<ObservedPod, 'identity' | 'view' | 'until'> {
  readonly identity = { namespace: 'etl', name: 'p', uid: 'u' };
  view: PodView;
  readonly #looks = new Set<() => void>();

  constructor(pod: V1Pod) {
    this.view = { pod, gone: false };
  }

  /** As what takes an observed pod wants it. */
  get observed(): ObservedPod {
    return this as unknown as ObservedPod;
  }

  become(pod: V1Pod, gone = false): void {
    this.view = { pod, gone };
    for (const look of [...this.#looks]) look();
  }

  until<T>(decide: (view: PodView) => T | undefined, signal?: AbortSignal, wake?: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = () => {
        try {
          signal?.throwIfAborted();
          const found = decide(this.view);
          if (found !== undefined) resolve(found);
        } catch (error) {
          reject(error);
        }
      };
      this.#looks.add(look);
      signal?.addEventListener('abort', look);
      wake?.addEventListener('abort', look);
      look();
    });
  }
}
