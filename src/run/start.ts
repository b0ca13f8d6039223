import type { V1Pod } from '@kubernetes/client-node';
import { StepError } from '../github/failure.ts';
import { gistOf, listEvents, type PodEvents } from '../kubernetes/events.ts';
import { referencesOf } from '../pod/references.ts';
import { inWords } from './durations.ts';
import type { ObservedPod, PodView } from './observe.ts';
import { podPath } from './outcome.ts';
import { Reminders } from './reminders.ts';
import type { Step } from './run.ts';
import { wayOut } from './scheduling.ts';
import { type Known, type Waiting, waitingFor } from './waiting.ts';

/** How long a pod may take to start. */
export interface StartTimeouts {
  /** While scheduling gates hold it: a queue's quota may be used up for hours. */
  queueSeconds: number;
  /** For a node to be found: a pool that scales up from nothing takes minutes. */
  scheduleSeconds: number;
  /** From there to the container's start, not counting the time that init containers run: pulling large images takes minutes. */
  startupSeconds: number;
}

/** What the wait for a pod's start needs beside the pod. */
export interface StartOptions extends Pick<Known, 'references' | 'ownPullSecret'> {
  timeouts: StartTimeouts;
  /** Reads the pod's events. It is not called for a pod that starts as pods do. */
  events: (signal: AbortSignal) => Promise<PodEvents>;
  /** Called with each change of what the pod waits for, not at intervals. */
  tell: (what: string) => void;
  signal: AbortSignal;
}

/** A pod that has a node and has not started after this long is asked about: most start within a second or two. */
const FIRST_EVENTS_SECONDS = 3;
/** And asked about again, at first as soon; what goes on for minutes needs no news every few seconds. */
const LONGEST_EVENTS_SECONDS = 10;
/** Node's timers take no more, and fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Waits until the step's container has started, see {@link waitForStart}. */
export function started(pod: ObservedPod, { inputs, plan, client, log, stop }: Step): Promise<void> {
  return waitForStart(pod, plan.base, {
    references: referencesOf(plan.pod, path => plan.originOf(path)),
    ownPullSecret: plan.secrets.some(({ type }) => type === 'kubernetes.io/dockerconfigjson'),
    timeouts: {
      queueSeconds: inputs.queueTimeoutSeconds,
      scheduleSeconds: inputs.scheduleTimeoutSeconds,
      startupSeconds: inputs.startupTimeoutSeconds,
    },
    events: signal => listEvents(client, pod.identity, signal),
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
  /** What is left for each phase. */
  private readonly leftMs: Record<Waiting['phase'], number>;
  private timer: NodeJS.Timeout | undefined;
  private asker: NodeJS.Timeout | undefined;
  private waiting: Waiting | undefined;
  private hinted = false;
  private phaseSince = performance.now();
  private events: Known['events'];
  private asking: 'not yet' | 'now and then' | 'refused' = 'not yet';
  private askingForPull: 'not yet' | 'now' | 'done' = 'not yet';

  constructor(pod: ObservedPod, base: string, options: StartOptions) {
    this.pod = pod;
    this.base = base;
    this.options = options;
    this.signal = AbortSignal.any([options.signal, this.giveUp.signal]);
    this.leftMs = {
      queued: 1000 * options.timeouts.queueSeconds,
      scheduling: 1000 * options.timeouts.scheduleSeconds,
      // The pod's own deadline ends it.
      initializing: Number.POSITIVE_INFINITY,
      starting: 1000 * options.timeouts.startupSeconds,
    };
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
          ...(this.events && { events: this.events }),
          ...(this.options.ownPullSecret && { ownPullSecret: true, refusedAgain: this.refusals.again }),
        });
    if (now === undefined) return true;
    this.changePhase(now);
    this.waiting = now;
    if (now.hopeless?.wantsEvents && this.askingForPull !== 'done' && this.asking !== 'refused') {
      if (this.askingForPull === 'not yet') void this.askForPull().catch(ignore);
      return undefined;
    }
    const endsAt = this.endsAt(now);
    if (endsAt <= performance.now()) throw this.notStarted(now);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.lookAgain(), Math.min(endsAt - performance.now(), LONGEST_TIMER_MS));
    if (this.asking === 'not yet' && wantsEvents(now)) {
      this.asking = 'now and then';
      this.askIn(FIRST_EVENTS_SECONDS);
    }
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

  private changePhase({ phase }: Waiting): void {
    if (this.waiting?.phase === phase) return;
    const now = performance.now();
    if (this.waiting) this.leftMs[this.waiting.phase] -= now - this.phaseSince;
    this.phaseSince = now;
  }

  /** When the wait is over, as things stand. */
  private endsAt({ phase, hopeless }: Waiting): number {
    const phaseEnds = this.phaseSince + this.leftMs[phase];
    if (hopeless === undefined) return phaseEnds;
    const since = this.seen.get(hopeless.cause) ?? performance.now();
    this.seen.set(hopeless.cause, since);
    return Math.min(phaseEnds, since + 1000 * hopeless.graceSeconds);
  }

  /** Asks for the events after so long, and from then on now and then. */
  private askIn(seconds: number): void {
    if (this.over.signal.aborted || this.asking === 'refused') return;
    this.asker = setTimeout(() => void this.askAndAgain(seconds).catch(ignore), 1000 * seconds);
  }

  private async askAndAgain(seconds: number): Promise<void> {
    if (!this.waiting || !wantsEvents(this.waiting)) return this.askIn(seconds);
    await this.ask();
    this.lookAgain();
    this.askIn(this.waiting?.hopeless ? FIRST_EVENTS_SECONDS : Math.min(LONGEST_EVENTS_SECONDS, 1.3 * seconds));
  }

  private async askForPull(): Promise<void> {
    this.askingForPull = 'now';
    await this.ask();
    this.askingForPull = 'done';
    this.lookAgain();
  }

  private async ask(): Promise<void> {
    const answer = await this.options.events(this.over.signal);
    if (answer === 'not allowed') this.asking = 'refused';
    else if (answer !== 'unavailable') this.events = answer;
  }

  private tell(what: string): void {
    const gist = gistOf(what);
    if (this.told.has(gist)) return;
    this.told.add(gist);
    this.options.tell(what);
  }

  private remind(seconds: number): void {
    const { namespace, name } = this.pod.view.pod.metadata ?? {};
    const what = this.waiting ? `: ${this.waiting.what}` : '';
    // Said once where to look, for events need not be allowed.
    const where = this.hinted ? '' : ` What the cluster says of it: kubectl -n ${namespace} describe pod ${name}`;
    this.hinted = true;
    this.options.tell(`Not started after ${inWords(seconds)}${what}${where === '' ? '' : `.${where}`}`);
  }

  private notStarted({ phase, what, why = '', hopeless }: Waiting): StepError {
    const { queueSeconds, scheduleSeconds, startupSeconds } = this.options.timeouts;
    const { pod } = this.pod.view;
    const where = podPath(pod);
    if (hopeless) {
      const { reason, title, sentence, remedy } = hopeless;
      return new StepError(reason, title, sentence, remedy === undefined ? {} : { remedy });
    }
    switch (phase) {
      case 'queued':
        return new StepError(
          'SchedulingGated',
          'The pod stayed in the queue',
          `Pod ${where} was still in its queue after ${inWords(queueSeconds)}: ${what}.`,
          {
            remedy: `Whoever set the gate has to take it away (Kueue: kubectl -n ${pod.metadata?.namespace} get workloads), or raise \`queue_timeout_seconds\`.`,
          },
        );
      case 'scheduling':
        return new StepError(
          'Unschedulable',
          'No node took the pod',
          `No node took pod ${where} within ${inWords(scheduleSeconds)}: ${why || `scheduler ${pod.spec?.schedulerName} has said nothing of it.`}`,
          { remedy: wayOut(pod, why) },
        );
      default:
        return new StepError(
          'StartTimeout',
          'The container did not start',
          `The container of pod ${where} did not start within ${inWords(startupSeconds)}: ${what}`,
          { remedy: 'If it only needs more time, raise `startup_timeout_seconds`.' },
        );
    }
  }
}

/** Whether the pod's events could say more: what goes on between the scheduler and the containers shows nowhere else, nor does a cluster that adds a node. */
function wantsEvents({ phase, worthTelling, hopeless }: Waiting): boolean {
  return phase === 'starting' || (phase === 'scheduling' && worthTelling && !hopeless);
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

/** The wait has ended meanwhile; whatever else goes wrong with events is no reason to fail. */
function ignore(): void {}
