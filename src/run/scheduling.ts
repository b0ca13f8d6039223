/** The scheduler's words for what the nodes lack, as Kubernetes 1.36 has them, and the inputs that ask for it. */
const LACKING: [RegExp, string][] = [
  [/Insufficient |Too many pods/, '`container_resources`'],
  [/untolerated taint/, '`tolerations`'],
  [/node affinity\/selector/, '`node_selector` and `affinity`'],
  [/pod (anti-)?affinity/, '`affinity`'],
  [/topology spread/, 'the topology spread constraints of the template'],
  [/volume node affinity|persistent volume|PersistentVolume/, 'the claims in `volumes`'],
  [/free ports/, 'the host ports in `ports`'],
];

/**
 * What to do about a pod that no node takes.
 * @param message the scheduler's, of the condition PodScheduled
 */
export function wayOut(message: string): string {
  const inputs = LACKING.filter(([words]) => words.test(message)).map(([, input]) => input);
  return `Check ${inputs.length > 0 ? inputs.join(', ') : '`container_resources`, `node_selector`, `affinity` and `tolerations`'} against the nodes, add nodes, or raise \`schedule_timeout_seconds\`.`;
}
