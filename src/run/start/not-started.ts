import type { V1Pod } from '@kubernetes/client-node';
import { defined } from '../../github/defined.ts';
import { StepError } from '../../github/failure.ts';
import { inWords } from '../durations.ts';
import { podPath } from '../pod-path.ts';
import { wayOut } from './scheduling.ts';
import { type Lasting, MORE_TIME } from './stuck.ts';
import type { StartTimeouts } from './time-left.ts';
import type { Waiting } from './waiting.ts';

/** @returns why the step ends without its container having started: what it waits for is hopeless, or has taken too long. */
export function notStarted(
  pod: V1Pod,
  { phase, what, why = '', hopeless, lasting }: Waiting,
  { queueSeconds, scheduleSeconds, startupSeconds }: StartTimeouts,
): StepError {
  const where = podPath(pod);
  if (hopeless) {
    const { reason, title, sentence, remedy, mayPass } = hopeless;
    return new StepError(reason, title, sentence, defined({ remedy, mayPass }));
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
    default: {
      const within = inWords(startupSeconds);
      const sentence = `The container of pod ${where} did not start within ${within}: ${what}`;
      const { reason, title, remedy, mayPass }: Lasting = lasting ?? {
        reason: 'StartTimeout',
        title: 'The container did not start',
        remedy: MORE_TIME,
      };
      return new StepError(reason, title, lasting?.sentence?.(within) ?? sentence, defined({ remedy, mayPass }));
    }
  }
}
