import type { V1Container, V1Pod } from '@kubernetes/client-node';
import type { ContainerChoice, LogInputs } from '../../github/inputs/inputs.ts';
import { didYouMean } from '../../github/inputs/reader.ts';
import { CHECKOUT_CONTAINER, UPLOAD_CONTAINER } from '../../pod/workspace.ts';
import { isResultSidecar, isSidecar } from '../containers.ts';

/** What they do the step tells itself, in a line, or when it fails: for their logs alone the others get no prefix. */
const FILLING = new Set([CHECKOUT_CONTAINER, UPLOAD_CONTAINER]);

/** The inputs that choose containers. */
type Choices = Pick<LogInputs, 'containers' | 'initContainers'>;

/**
 * @param manifest the pod as it was meant
 * @param pod the pod as it is, with the containers that the cluster has added
 * @returns the names of the containers whose logs are wanted, in the order in which they start
 */
export function selectContainers(choices: Choices, base: string, manifest: V1Pod, pod: V1Pod): string[] {
  const { containers = [], initContainers = [] } = withoutSidecarOfOurs(pod).spec ?? {};
  const own = new Set((manifest.spec?.initContainers ?? []).map(({ name }) => name));
  const wanted = (choice: ContainerChoice, name: string, ofAll: boolean) =>
    choice === 'all' ? ofAll : choice.includes(name);
  const sideBySide = choices.containers ?? [base];
  return [
    ...initContainers
      .filter(container => {
        const sidecar = isSidecar(container);
        const { name } = container;
        return (
          wanted(sideBySide, name, sidecar) ||
          wanted(choices.initContainers, name, !sidecar && own.has(name) && !FILLING.has(name))
        );
      })
      .map(({ name }) => name),
    ...containers.filter(({ name }) => wanted(sideBySide, name, true)).map(({ name }) => name),
  ];
}

/** @returns the input that keeps the base container's log out of the job log; `undefined` where it is shown */
export function notShownBy(
  { shown, containers }: Pick<LogInputs, 'shown' | 'containers'>,
  base: string,
): 'get_logs' | 'container_logs' | undefined {
  if (Array.isArray(containers) && !containers.includes(base)) return 'container_logs';
  return shown ? undefined : 'get_logs';
}

/** @returns whether the manifest has every container that is named: else the cluster may add it. */
export function namesAreKnown(choices: Choices, manifest: V1Pod): boolean {
  return wrongNames(choices, manifest).length === 0;
}

/** @returns what is wrong with the names that were given, a sentence each. */
export function wrongNames({ containers, initContainers }: Choices, pod: V1Pod): string[] {
  const { spec } = withoutSidecarOfOurs(pod);
  const names = (list: V1Container[]) => list.map(({ name }) => name);
  const init = spec?.initContainers ?? [];
  const sideBySide = names([...(spec?.containers ?? []), ...init.filter(isSidecar)]);
  const first = names(init);
  const given = (choice: ContainerChoice | undefined) => (Array.isArray(choice) ? choice : []);
  return [
    ...given(containers)
      .filter(name => !sideBySide.includes(name))
      .map(name => wrong('container_logs', name, sideBySide, first.includes(name) ? 'init_container_logs' : undefined)),
    ...given(initContainers)
      .filter(name => !first.includes(name))
      .map(name => wrong('init_container_logs', name, first, sideBySide.includes(name) ? 'container_logs' : undefined)),
  ];
}

function wrong(input: string, name: string, known: string[], other: string | undefined): string {
  if (other !== undefined) return `${input}: container ${name} belongs into ${other}.`;
  const kind = input === 'container_logs' ? 'container' : 'init container';
  return known.length === 0
    ? `${input}: the pod has no ${kind}s, so no "${name}" either.`
    : `${input}: the pod has no ${kind} "${name}"; it has ${known.join(', ')}.${didYouMean(name, known)}`;
}

/** What the result's sidecar prints is the result alone. */
function withoutSidecarOfOurs(pod: V1Pod): V1Pod {
  const { spec } = pod;
  if (!spec?.initContainers) return pod;
  const initContainers = spec.initContainers.filter(one => !isResultSidecar(one));
  return { ...pod, spec: { ...spec, initContainers } };
}
