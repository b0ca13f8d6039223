import type { V1Container, V1Pod } from '@kubernetes/client-node';
import { listEvents, type PodEvent } from '../../kubernetes/events.ts';
import { brief } from '../brief.ts';
import { duration } from '../durations.ts';
import type { ObservedPod } from '../observe.ts';
import { podPath } from '../pod-path.ts';
import type { Step } from '../run.ts';
import type { Outcome } from './outcome.ts';

/** A cluster that is slow to answer does not hold up the end of the step for longer. */
const DEADLINE_SECONDS = 10;

/** Adds to an outcome what only events tell. They are asked for where the container has something that the kubelet kills it for, and nowhere else. */
export async function diagnosed(outcome: Outcome, pod: ObservedPod, { plan, client, stop }: Step): Promise<Outcome> {
  const live = pod.view.pod;
  if (!mayHaveBeenKilled(live, plan.base, outcome)) return outcome;
  const signal = AbortSignal.any([stop, AbortSignal.timeout(1000 * DEADLINE_SECONDS)]);
  const events = await listEvents(client, pod.identity, signal).catch(() => 'unavailable' as const);
  return Array.isArray(events) ? diagnose(outcome, live, plan.base, events) : outcome;
}

function mayHaveBeenKilled(pod: V1Pod, base: string, { state, reason, ended }: Outcome): boolean {
  if (ended === undefined || (state === 'failed' && reason !== 'ExitCode')) return false;
  const { livenessProbe, startupProbe, lifecycle } = container(pod, base) ?? {};
  return livenessProbe !== undefined || startupProbe !== undefined || lifecycle?.postStart !== undefined;
}

/** @returns the outcome, where the kubelet has killed the container for a probe or a hook with that as its cause: it may even have exited with 0 then. */
export function diagnose(outcome: Outcome, pod: V1Pod, base: string, events: readonly PodEvent[]): Outcome {
  const { ended } = outcome;
  const own = events.filter(({ container }) => container === base);
  if (ended === undefined || !own.some(({ reason }) => reason === 'Killing')) return outcome;
  const killed = `Container ${base} of pod ${podPath(pod)} was killed${duration(ended)} (exit code ${ended.exitCode})`;
  const hook = own.findLast(({ reason }) => reason === 'FailedPostStartHook');
  if (hook !== undefined)
    return {
      ...outcome,
      state: 'failed',
      reason: 'FailedPostStartHook',
      title: 'The postStart hook failed',
      sentence: `${killed}: its postStart hook failed${behind(/^PostStartHook failed$/.test(hook.message) ? '' : hook.message)}`,
      remedy: 'See to `lifecycle.postStart` of the container.',
    };
  const unhealthy = own.findLast(({ reason, message }) => reason === 'Unhealthy' && PROBE.test(message));
  const [, kind = '', why = ''] = PROBE.exec(unhealthy?.message ?? '') ?? [];
  if (kind === '') return outcome;
  return {
    ...outcome,
    state: 'failed',
    reason: 'Unhealthy',
    title: `The ${kind.toLowerCase()} probe failed`,
    sentence: `${killed}: its ${kind.toLowerCase()} probe failed${behind(why)}`,
    remedy: `Raise the probe’s \`failureThreshold\` or \`timeoutSeconds\`, or leave it out: a step that runs to its end seldom needs one.`,
  };
}

/** The kubelet's words. A readiness probe kills nothing. */
const PROBE = /^(Liveness|Startup) probe (?:failed|errored[^:]*):?(.*)$/s;

function behind(why: string): string {
  return why.trim() === '' ? '.' : `: ${brief(why)}`;
}

function container({ spec }: V1Pod, name: string): V1Container | undefined {
  return spec?.containers.find(container => container.name === name);
}
