import type { FilesInputs } from '../github/inputs/files.ts';
import { checkoutContainer, gitConfiguration, TOKEN_VOLUME } from './checkout.ts';
import { FILES_FOLDER, FILES_SIZE, FILES_VOLUME, UPLOADED_FILE, UPLOADED_PIPE } from './files-volume.ts';
import type { Fragment } from './inputs/fragment.ts';
import type { WorkspaceVolume } from './inputs/workspace-volume.ts';
import {
  containerNamed,
  containersOf,
  initContainersOf,
  type JsonObject,
  objectOf,
  objectsOf,
  type Path,
  textOf,
} from './json.ts';
import { literal } from './literal.ts';
import type { MergedPod } from './merge.ts';
import { securityContextFor } from './result-sidecar.ts';

/** The volume that the workspace is, and the init containers that fill it. */
export const WORKSPACE_VOLUME = 'pod-step-workspace';
export const UPLOAD_CONTAINER = 'pod-step-upload';
export const CHECKOUT_CONTAINER = 'pod-step-checkout';
/** A workspace that grows beyond it has its pod evicted, in place of filling the node's disk. */
const WORKSPACE_SIZE = '10Gi';
/** Where a checkout is made that is then copied to a volume of others', on a volume of its own by the container's name. */
const CHECKOUT_FOLDER = '/pod-step/checkout';
/** The variable that names the workspace, as of the runner's. */
const WORKSPACE_VARIABLE = 'GITHUB_WORKSPACE';

/** Waits until somebody says that the workspace is there. */
const WAIT = `trap 'exit 143' TERM
[ -p "$1/${UPLOADED_PIPE}" ] || mkfifo "$1/${UPLOADED_PIPE}" || exit
until [ -e "$1/${UPLOADED_FILE}" ]; do
  cat "$1/${UPLOADED_PIPE}" >/dev/null &
  wait $!
done
`;

/** The pod's workspace, as it is wanted. */
export interface WorkspaceInputs {
  files: FilesInputs;
  volume?: WorkspaceVolume;
  /** Name of the Secret with the job's token, for a checkout. */
  tokenSecret?: string;
}

/**
 * What is to be had in the container unless somebody has said otherwise: the workspace for its working directory, and its name.
 * @param container as a template has it, which wins
 */
export function workspaceDefaults({ workspace, checkout }: FilesInputs, container: JsonObject = {}): Fragment[] {
  if (workspace === undefined) return [];
  const names = objectsOf(container['env']).map(({ name }) => String(name));
  const variables = {
    ...(!names.includes(WORKSPACE_VARIABLE) && { [WORKSPACE_VARIABLE]: workspace.path }),
    // The volume's root is root's, and git refuses to work in a folder that is another user's.
    ...(checkout !== undefined &&
      !names.some(name => name.startsWith('GIT_CONFIG_')) &&
      gitConfiguration([['safe.directory', workspace.path]])),
  };
  const env = Object.entries(variables).map(([name, value]) => ({ name, value: literal(value) }));
  const fields = {
    ...(container['workingDir'] === undefined && { workingDir: workspace.path }),
    ...(env.length > 0 && { env }),
  };
  return [{ from: 'workspace_path', of: 'container', fields }];
}

/**
 * @param pod as the user wants it
 * @param base the container that works there
 * @returns what is to be laid over the pod's spec
 */
export function workspaceSpec(
  pod: JsonObject,
  base: string,
  { files, volume, tokenSecret }: WorkspaceInputs,
): JsonObject | undefined {
  const { workspace, checkout, download } = files;
  if (workspace === undefined) return undefined;
  const mount = workspaceMount(files, volume);
  const volumes = [
    { name: WORKSPACE_VOLUME, ...(volume?.source ?? { emptyDir: { sizeLimit: WORKSPACE_SIZE } }) },
    ...(workspace.source === 'upload' || download ? [{ name: FILES_VOLUME, emptyDir: { sizeLimit: FILES_SIZE } }] : []),
  ];
  const common = {
    ...resourcesOf(pod, base),
    securityContext: securityContextFor(pod, base),
  };
  const upload = {
    name: UPLOAD_CONTAINER,
    image: files.helperImage,
    command: ['sh', '-c', WAIT, UPLOAD_CONTAINER],
    args: [FILES_FOLDER],
    ...common,
    volumeMounts: [mount, { name: FILES_VOLUME, mountPath: FILES_FOLDER }],
  };
  const outlives = checkout !== undefined && volume !== undefined && !goesWithPod(volume.source);
  const checkoutMounts = [mount, ...(outlives ? [{ name: CHECKOUT_CONTAINER, mountPath: CHECKOUT_FOLDER }] : [])];
  const filling =
    workspace.source === 'upload'
      ? [upload]
      : checkout
        ? [
            checkoutContainer(
              checkout,
              { name: CHECKOUT_CONTAINER, ...common, volumeMounts: checkoutMounts },
              tokenSecret,
              {
                path: workspace.path,
                ...(outlives && { place: CHECKOUT_FOLDER }),
                open: isUserMadeUp(pod, base, common.securityContext),
              },
            ),
          ]
        : [];
  const secret = tokenSecret && { name: TOKEN_VOLUME, secret: { secretName: tokenSecret, defaultMode: 0o444 } };
  return {
    volumes: [
      ...volumes,
      ...(outlives ? [{ name: CHECKOUT_CONTAINER, emptyDir: { sizeLimit: WORKSPACE_SIZE } }] : []),
      ...(secret ? [secret] : []),
    ],
    containers: [{ name: base, volumeMounts: [mount] }],
    ...(filling.length > 0 && { initContainers: filling }),
  };
}

/** Whether what the workspace is on is the pod's own: on others there may be anything, and somebody at work on it. */
function goesWithPod(volume: JsonObject): boolean {
  return 'emptyDir' in volume || 'ephemeral' in volume;
}

/**
 * @param pod as it was planned
 * @returns of an upload, whether what is in the workspace can go first, and whether the files are for a user who is not known
 */
export function howToReceive(pod: JsonObject, base: string): { clear: boolean; open: boolean } {
  const volume = objectsOf(objectOf(pod['spec'])['volumes']).find(({ name }) => name === WORKSPACE_VOLUME);
  const upload = initContainersOf(pod).find(({ name }) => name === UPLOAD_CONTAINER);
  return {
    clear: volume !== undefined && goesWithPod(volume),
    open: isUserMadeUp(pod, base, objectOf(upload?.['securityContext'])),
  };
}

/** Whether an init container has a user because it needs one: the base container's is its image's own, which is not known here. */
function isUserMadeUp(pod: JsonObject, base: string, { runAsUser }: JsonObject): boolean {
  return runAsUser !== undefined && objectOf(containerNamed(pod, base)?.['securityContext'])['runAsUser'] === undefined;
}

/** @returns how a container has the workspace */
export function workspaceMount({ workspace }: FilesInputs, volume?: WorkspaceVolume): JsonObject {
  return {
    name: WORKSPACE_VOLUME,
    mountPath: workspace?.path ?? '',
    ...(volume?.subPath !== undefined && { subPath: volume.subPath }),
  };
}

/** They run one after the other, before the base container: what it has for itself they may have too, and the pod needs no more for it. */
function resourcesOf(pod: JsonObject, base: string): JsonObject {
  const { requests, limits } = objectOf(containerNamed(pod, base)?.['resources']);
  const kept = (amounts: unknown) =>
    Object.fromEntries(
      Object.entries(objectOf(amounts as JsonObject)).filter(([name]) =>
        ['cpu', 'memory', 'ephemeral-storage'].includes(name),
      ),
    );
  const resources = { ...(requests && { requests: kept(requests) }), ...(limits && { limits: kept(limits) }) };
  return Object.keys(resources).length === 0 ? {} : { resources };
}

/** Names that the action needs for itself, and places. */
export function checkWorkspace(
  { pod }: MergedPod,
  base: string,
  { workspace, download }: FilesInputs,
  report: (path: Path, sentence: string) => void,
): void {
  if (workspace === undefined) return;
  const filling = workspace.source === 'upload' ? UPLOAD_CONTAINER : CHECKOUT_CONTAINER;
  const taken = `is a name that ${download ? 'workspace or download' : 'workspace'} needs. Choose another.`;
  for (const [field, list] of [
    ['containers', containersOf(pod)],
    ['initContainers', initContainersOf(pod)],
  ] as const)
    for (const [index, { name }] of list.entries())
      if (name === filling) report(['spec', field, index, 'name'], `${name} ${taken}`);
  for (const [index, { name }] of objectsOf(objectOf(pod['spec'])['volumes']).entries())
    if ([WORKSPACE_VOLUME, FILES_VOLUME, TOKEN_VOLUME, CHECKOUT_CONTAINER].includes(String(name)))
      report(['spec', 'volumes', index, 'name'], `${name} ${taken}`);
  const at = containersOf(pod).findIndex(({ name }) => name === base);
  for (const [index, { mountPath }] of objectsOf(containersOf(pod)[at]?.['volumeMounts']).entries())
    if (textOf(mountPath)?.replace(/(.)\/+$/, '$1') === workspace.path)
      report(
        ['spec', 'containers', at, 'volumeMounts', index],
        `is mounted where the workspace is to be, at ${workspace.path}. Choose another workspace_path, or name that volume in workspace_volume.`,
      );
}
