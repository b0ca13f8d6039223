import { type FakeApiServer, type FaultAction, type RecordedRequest, replies } from '../../support/fake-api-server.ts';
import type { Reply } from '../../support/kubernetes-replies.ts';
import type { Dice } from './dice.ts';

/** What one request in so many meets with. */
const SHARE = 0.3;

/** Faults of all kinds, as the dice fall. */
export class Faults {
  /** Nothing goes wrong any more. */
  off = false;
  /** Whether the last line of every container ends. The kubelet's own text behind one that does not cannot be told from it. */
  readonly finalNewline: boolean;
  readonly #dice: Dice;
  /** A token that has expired is refused once. */
  #expired = false;
  /** What the next requests for a log meet with: what the node says in place of one, it says twice, and then it is whole. */
  #logsNext: (FaultAction | undefined)[] = [];

  constructor(dice: Dice, finalNewline: boolean) {
    this.#dice = dice;
    this.finalNewline = finalNewline;
  }

  /** What happens to a request. */
  readonly source = (request: RecordedRequest): FaultAction | undefined => {
    if (this.off) return undefined;
    if (request.verb === 'log' && this.#logsNext.length > 0) return this.#logsNext.shift();
    if (this.#dice.roll() > SHARE) return undefined;
    const action = this.#dice.one(this.#possible(request));
    if (action.kind === 'append') this.#logsNext = [action, undefined];
    if (!(action.kind === 'answer' && action.reply.code === 401)) return action;
    // Before the first answer it would say that the credentials are wrong.
    if (this.#expired || request.verb === 'create') return undefined;
    this.#expired = true;
    return action;
  };

  #possible({ verb, query }: RecordedRequest): readonly FaultAction[] {
    const afterBytes = 1 + this.#dice.upTo(this.#dice.one([60, 600, 6000]));
    const anywhere: FaultAction[] = [
      { kind: 'reset' },
      { kind: 'reset', afterBytes },
      { kind: 'cleanEnd', afterBytes },
      { kind: 'delay', ms: this.#dice.upTo(20) },
      answer(replies.tooManyRequests(0.01)),
      answer(replies.unavailable()),
      answer(replies.internalError('etcdserver: request timed out')),
      answer(replies.unauthorized()),
    ];
    switch (verb) {
      case 'create':
      case 'delete':
        return [...anywhere, { kind: 'loseAnswer' }, { kind: 'loseAnswer' }];
      case 'watch':
        return [...anywhere, { kind: 'expired' }, { kind: 'quiet', afterBytes }];
      case 'log':
        return [
          ...anywhere,
          ...this.#ofLogs(afterBytes),
          ...(query['follow'] === 'true' ? ofFollowed(afterBytes) : []),
        ];
      default:
        return anywhere;
    }
  }

  #ofLogs(afterBytes: number): FaultAction[] {
    const appended: FaultAction[] = [
      { kind: 'append', text: 'rpc error: code = NotFound', afterBytes },
      { kind: 'append', text: 'unable to retrieve container logs for containerd://1' },
    ];
    return [
      ...(this.finalNewline ? appended : []),
      answer(replies.logNotFound('p')),
      answer(replies.kubeletDown('default', 'p', 'base')),
    ];
  }
}

function ofFollowed(afterBytes: number): FaultAction[] {
  return [
    { kind: 'quiet', afterBytes },
    answer({ code: 204 }),
    answer(replies.badRequest('container "base" in pod "p" is waiting to start: ContainerCreating')),
  ];
}

function answer(reply: Reply): FaultAction {
  return { kind: 'answer', reply };
}

/** Waits a little, or not at all. */
export async function wait(dice: Dice): Promise<void> {
  if (dice.roll() < 0.5) await new Promise(resolve => setTimeout(resolve, dice.upTo(8)));
}

/** Something goes wrong with what is open, perhaps. */
export async function trouble(dice: Dice, server: FakeApiServer): Promise<void> {
  const roll = dice.roll();
  if (roll < 0.05) server.cutStreams();
  else if (roll < 0.1) server.endStreams({ verb: dice.one(['watch', 'log'] as const) });
  else if (roll < 0.13) server.expireWatches();
  else if (roll < 0.16) server.bookmark();
  else if (roll < 0.18) {
    await server.refuse();
    await wait(dice);
    await server.accept();
  }
  await wait(dice);
}
