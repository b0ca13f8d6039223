import type { V1Pod } from '@kubernetes/client-node';
import { followEvents, gistOf, type PodEvents } from '../../kubernetes/events.ts';
import { referencesOf } from '../../pod/references.ts';
import { inWords } from '../durations.ts';
import type { ObservedPod, PodView } from '../observe.ts';
import type { Step } from '../run.ts';
import { notStarted } from './not-started.ts';
import { Reminders } from './reminders.ts';
import type { Known } from './stuck.ts';
import { type StartTimeouts, TimeLeft } from './time-left.ts';
import { type Waiting, waitingFor } from './waiting.ts';

/** What the wait for a pod's start needs beside the pod. */
export interface StartOptions extends Pick<Known, 'references' | 'ownPullSecret'> {
  timeouts: StartTimeouts;
  /** Reads the pod's events and goes on as they come, until it is aborted. It is not called for a pod that starts as pods do. */
  events: (onNews: (events: PodEvents) => void, signal: AbortSignal) => Promise<void>;
  /** Called with each change of what the pod waits for, not at intervals. */
  tell: (what: string) => void;
  signal: AbortSignal;
}

/** A pod of which events could say more, and that has not started after so long, is asked about: most have by then. */
const EVENTS_AFTER_MS = 1000;
/** Node's timers take no more, and fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Waits until the step's container has started, see {@link waitForStart}. */
export function started(pod: ObservedPod, { inputs, plan, client, log, summary, stop }: Step): Promise<void> {
  return waitForStart(pod, plan.base, {
    references: referencesOf(plan.pod, path => plan.originOf(path)),
    ownPullSecret: plan.secrets.some(({ type }) => type === 'kubernetes.io/dockerconfigjson'),
    timeouts: {
      queueSeconds: inputs.queueTimeoutSeconds,
      scheduleSeconds: inputs.scheduleTimeoutSeconds,
      startupSeconds: inputs.startupTimeoutSeconds,
    },
    events: (onNews, signal) => {
      const note = (events: PodEvents) => {
        summary.note(events);
        onNews(events);
      };
      return followEvents(client, pod.identity, note, signal);
    },
    tell: what => log.line(what),
    signal: stop,
  });
}

/**
 * Waits until the base container has started, or the pod has ended without.
 * @throws StepError when it cannot start, or does not in time
 */
export async function waitForStart(pod: ObservedPod, base: string, options: StartOptions): Promise<void> {
  const wait = new StartWait(pod, base, options);
  try {
    await pod.until(view => wait.look(view), wait.signal);
  } finally {
    wait.end();
  }
}

class StartWait {
  /** Aborted with the reason when the wait ends without a start. */
  readonly signal: AbortSignal;
  private readonly pod: ObservedPod;
  private readonly base: string;
  private readonly options: StartOptions;
  private readonly giveUp = new AbortController();
  private readonly over = new AbortController();
  private readonly told = new Set<string>();
  private readonly refusals = new Refusals();
  private readonly reminders: Reminders;
  /** When each hopeless cause was first seen. */
  private readonly seen = new Map<string, number>();
  private readonly timeLeft: TimeLeft;
  private timer: NodeJS.Timeout | undefined;
  private asker: NodeJS.Timeout | undefined;
  private waiting: Waiting | undefined;
  private hinted = false;
  /** What is known of the events: nothing before they have been asked for. */
  private events: PodEvents | undefined;
  private following = false;

  constructor(pod: ObservedPod, base: string, options: StartOptions) {
    this.pod = pod;
    this.base = base;
    this.options = options;
    this.signal = AbortSignal.any([options.signal, this.giveUp.signal]);
    this.timeLeft = new TimeLeft(options.timeouts);
    this.reminders = new Reminders(seconds => this.remind(seconds));
  }

  end(): void {
    this.over.abort();
    this.reminders.end();
    clearTimeout(this.timer);
    clearTimeout(this.asker);
  }

  /** @returns `true` once there is nothing to wait for any more. */
  look({ pod, gone }: PodView): true | undefined {
    this.refusals.note(pod);
    const now = gone
      ? undefined
      : waitingFor(pod, this.base, {
          references: this.options.references,
          ...(Array.isArray(this.events) && { events: this.events }),
          ...(this.options.ownPullSecret && { ownPullSecret: true, refusedAgain: this.refusals.again }),
        });
    if (now === undefined) return true;
    this.waiting = now;
    if (now.hopeless?.wantsEvents && this.events === undefined) {
      this.followEvents();
      return undefined;
    }
    const leftMs = this.endsAt(now) - performance.now();
    if (leftMs <= 0) throw notStarted(pod, now, this.options.timeouts);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.lookAgain(), Math.min(leftMs, LONGEST_TIMER_MS));
    if (wantsEvents(now)) this.asker ??= setTimeout(() => this.followEvents(), EVENTS_AFTER_MS);
    if (now.worthTelling) this.tell(now.what);
    return undefined;
  }

  /** After a time, or news that is not the pod's own. */
  private lookAgain(): void {
    if (this.over.signal.aborted) return;
    try {
      this.look(this.pod.view);
    } catch (error) {
      this.giveUp.abort(error);
    }
  }

  /** When the wait is over, as things stand. */
  private endsAt({ phase, hopeless }: Waiting): number {
    const phaseEnds = this.timeLeft.endsAt(phase);
    if (hopeless === undefined) return phaseEnds;
    const since = this.seen.get(hopeless.cause) ?? performance.now();
    this.seen.set(hopeless.cause, since);
    return Math.min(phaseEnds, since + 1000 * hopeless.graceSeconds);
  }

  private followEvents(): void {
    if (this.following || this.over.signal.aborted) return;
    this.following = true;
    const onNews = (events: PodEvents) => {
      this.events = events;
      this.lookAgain();
    };
    // It ends with the wait; whatever else goes wrong with events is no reason to fail.
    this.options.events(onNews, this.over.signal).catch(() => {});
  }

  private tell(what: string): void {
    const gist = gistOf(what);
    if (this.told.has(gist)) return;
    this.told.add(gist);
    this.options.tell(what);
  }

  private remind(seconds: number): void {
    const what = this.waiting ? `: ${this.waiting.what}` : '';
    // Said once.
    const hint = this.events === 'not allowed' && !this.hinted ? this.hint() : '';
    this.hinted ||= hint !== '';
    this.options.tell(`Not started after ${inWords(seconds)}${what}${hint === '' ? '' : `. ${hint}`}`);
  }

  private hint(): string {
    const { namespace, name } = this.pod.identity;
    return `The credentials may not read its events (list and watch on events), so a cause that only they tell ends in the time-out. To see them: kubectl -n ${namespace} describe pod ${name}`;
  }
}

/** Whether the pod's events could say more: what goes on between the scheduler and the containers shows nowhere else, nor does a cluster that adds a node. */
function wantsEvents({ phase, worthTelling, hopeless }: Waiting): boolean {
  return phase === 'starting' || phase === 'pulling' || (phase === 'scheduling' && worthTelling && !hopeless);
}

/**
 * Which containers' images were refused a second time.
 * The pod's status says ErrImagePull, then ImagePullBackOff, and only after the next try ErrImagePull again [measured].
 */
class Refusals {
  readonly again = new Set<string>();
  private readonly last = new Map<string, string>();

  note(pod: V1Pod): void {
    const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
    for (const { name, state } of [...initContainerStatuses, ...containerStatuses]) {
      const reason = state?.waiting?.reason ?? '';
      if (reason === 'ErrImagePull' && this.last.get(name) === 'ImagePullBackOff') this.again.add(name);
      this.last.set(name, reason);
    }
  }
}
