import type { V1ResourceRequirements } from '@kubernetes/client-node';
import { dnsLabel } from '../pod/naming.ts';
import { isOwnedBy } from '../pod/owner.ts';
import { commandHints, commandLine } from './command-line.ts';
import { inWords } from './durations.ts';
import { notShownBy } from './logs/selection.ts';
import type { ObservedPod } from './observe.ts';
import type { Step } from './run.ts';

/** What runs, and where, before the container's own lines. */
export function announce({ inputs, plan, secrets, log }: Step): void {
  const { namespace, name, base, nameGiven } = plan;
  const container = plan.pod.spec?.containers.find(container => container.name === base);
  log.line(`Running ${container?.image} as pod ${namespace}/${name}.`);
  const words = [...(container?.command ?? []), ...(container?.args ?? [])];
  if (words.length > 0) log.line(`Command: ${commandLine(words, secrets)}`);
  for (const hint of commandHints(words)) log.line(`Hint: ${hint}`);
  if (nameGiven !== undefined && dnsLabel(nameGiven) !== nameGiven)
    log.line(
      `"${nameGiven}" cannot be the name of a pod as it stands (lower-case letters, digits and dashes, at most 63): it became ${name}.`,
    );
  const { file } = inputs.logs;
  const notShown = notShownBy(inputs.logs, base);
  const readable = `To read it: kubectl -n ${namespace} logs -f ${name} -c ${base}`;
  if (notShown === 'container_logs')
    log.line(`The log of container ${base} is not shown, since container_logs does not name it. ${readable}`);
  else if (notShown === 'get_logs')
    log.line(
      `Its log is not shown (get_logs: false)${file === undefined ? '' : `, but written to ${file}`}. ${readable}`,
    );
}

/** What the cluster made of it: admission may have changed what was asked for. */
export function announceCreated({ plan, log }: Step, pod: ObservedPod): void {
  const { spec, status } = pod.view.pod;
  const resources = spec?.containers.find(({ name }) => name === plan.base)?.resources ?? {};
  const qos = status?.qosClass;
  const facts = [
    ...(qos === undefined ? [] : [`QoS class ${qos}${asked(resources)}`]),
    ...(plan.defaultDeadlineSeconds === undefined
      ? []
      : [`the cluster stops it after ${inWords(plan.defaultDeadlineSeconds)} at the latest (active_deadline_seconds)`]),
    ...(plan.owner !== undefined && isOwnedBy(pod.view.pod, plan.owner)
      ? [`the cluster deletes it once the runner’s pod ${plan.owner.name} is gone`]
      : []),
  ];
  if (facts.length > 0) log.line(`Created: ${facts.join('; ')}.`);
}

/** @returns e.g. ` (requests cpu 500m, memory 1Gi; limits memory 2Gi)`, or nothing. */
export function asked({ requests, limits }: V1ResourceRequirements): string {
  const listed = (quantities: Record<string, string> = {}) =>
    Object.entries(quantities)
      .map(([resource, quantity]) => `${resource} ${quantity}`)
      .join(', ');
  const parts = [
    ...(requests ? [`requests ${listed(requests)}`] : []),
    ...(limits ? [`limits ${listed(limits)}`] : []),
  ];
  return parts.length > 0 ? ` (${parts.join('; ')})` : '';
}
