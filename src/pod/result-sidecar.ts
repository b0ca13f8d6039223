import { ENDED_FILE, FETCHED_FILE, FILES_FOLDER, FILES_VOLUME } from './files-volume.ts';
import { RESULT_ASKED_ANNOTATION } from './identity.ts';
import { containerNamed, containersOf, initContainersOf, type Json, type JsonObject, objectOf } from './json.ts';
import { quantityValue } from './quantity.ts';
import { ASKED_VOLUME, RESULT_FILE, RESULT_FOLDER, RESULT_SIDECAR } from './result.ts';

/**
 * The longest file that is sent, in bytes: in base64 it fits, with its time stamps, into one log file of a node (containerLogMaxSize, 10 MiB by default), beyond which the beginning is lost.
 */
export const LONGEST_SENT = 7_000_000;
/** Room for the result, and for what is written beside it before it is renamed. */
const VOLUME_SIZE = '64Mi';
/** A user that is not root, where the pod asks for one and does not say which. */
const NOBODY = 65_532;

/**
 * It is idle until the end; then it hashes and encodes. What starts a container counts as its own: held to 100m, the pod takes 0.1 s longer [measured].
 * Where all containers have requests and limits that are the same, the pod has the class Guaranteed, which it is to keep: there it is worth that.
 */
const RESOURCES = { requests: { cpu: '1m', memory: '8Mi' }, limits: { cpu: '500m', memory: '32Mi' } };
/** Files are packed by it, too. */
const WITH_FILES = { requests: RESOURCES.requests, limits: { cpu: '2', memory: '64Mi' } };
const SMALL = { cpu: '100m', memory: '32Mi' };
const GUARANTEED = { requests: SMALL, limits: SMALL };

/**
 * Waits for the end of the pod's other containers, which the kubelet tells by SIGTERM, then prints the files, framed: for each a line of what it is, and its content in base64. Lines of 8,000 characters stay below what a container runtime breaks up (16 KiB).
 * It asks nothing of its image but sh, base64, sha256sum, stat, id and sleep. Whether it may is found out by doing it, as `test -r` and `test -x` say yes to a root without capabilities [busybox].
 * Where files are fetched from it, it writes a file when the others have ended, and stays until another says that all has been fetched, or the pod's grace is over.
 * In place of SIGTERM a file may say that it is time: a container that goes on beside the base container would keep the kubelet from telling. A SIGTERM that comes while it sends waits for the end of that.
 */
const SCRIPT = `until=
if [ "$1" = until ]; then until=$2; shift 2; fi
folder=$1 asked=$2 longest=$3
shift 3
send_file() {
  file=$folder/$1
  if ! (cd "$folder") 2>/dev/null; then echo "closed $1 $(stat -c '%a %u' "$folder") $(id -u)"
  elif [ -L "$file" ]; then echo "link $1"
  elif ! [ -e "$file" ]; then echo "none $1"
  elif [ -d "$file" ]; then echo "folder $1"
  elif [ -p "$file" ]; then echo "pipe $1"
  elif ! [ -f "$file" ]; then echo "other $1"
  elif ! (: <"$file") 2>/dev/null; then echo "unreadable $1 $(stat -c '%a %u' "$file") $(id -u)"
  else
    set -- "$1" $(stat -c '%s %Z %Y' "$file")
    if [ "$2" -gt "$longest" ]; then echo "long $1 $2"
    else
      echo "file $1 $2 $3 $4"
      base64 -w 8000 <"$file"
      echo
      echo "sum $(sha256sum <"$file")"
    fi
  fi
}
send() {
  echo "frame $#"
  for name; do send_file "$name"; done
  echo end
}
sent= told=
send_once() {
  trap 'told=yes' TERM
  if [ -z "$sent" ]; then sent=yes; send "$@"; fi
  trap 'hold; exit 0' TERM
  if [ -n "$told" ]; then hold; exit 0; fi
}
hold() {
  trap '' TERM
  if [ -n "$until" ]; then : >"\${until%/*}/${ENDED_FILE}"; until [ -e "$until" ]; do sleep 0.2; done; fi
}
trap 'send_once "$@"; hold; exit 0' TERM
while :; do
  if [ -s "$asked" ]; then send_once "$@"; fi
  sleep 1 &
  wait $!
done
`;

/** Whoever the base container runs as may write them. */
const MAKE_FILES = 'umask 0; cd "$1" && shift && for name; do : >>"$name" || exit; done';

/** Says that it may end. */
const FETCHED = `${FILES_FOLDER}/${FETCHED_FILE}`;

/** Where the sidecar learns that it is not to wait: by way of an annotation, for that needs no exec. */
const ASKED_FOLDER = '/pod-step';

/**
 * @param pod as the user wants it
 * @param base the container that writes the result
 * @param files in the folder of the result, that are sent
 * @param given of the sidecar's image and its security context, what the user has said; and how it has the workspace, where files of that are fetched
 * @returns what is to be laid over the pod's spec
 */
export function resultSidecar(
  pod: JsonObject,
  base: string,
  files: string[],
  given: { image: string; securityContext?: JsonObject; workspace?: JsonObject },
): JsonObject {
  const hasResources = initContainersOf(pod).some(
    container => container['name'] === RESULT_SIDECAR && container['resources'] !== undefined,
  );
  // Programs append to these, and some want to find them there. What comes after the sidecar waits for the hook.
  const made = files.filter(file => file !== RESULT_FILE);
  const hook = { exec: { command: ['sh', '-c', MAKE_FILES, RESULT_SIDECAR, RESULT_FOLDER, ...made] } };
  return {
    volumes: [
      { name: RESULT_SIDECAR, emptyDir: { sizeLimit: VOLUME_SIZE } },
      {
        name: ASKED_VOLUME,
        downwardAPI: {
          items: [{ path: 'asked', fieldRef: { fieldPath: `metadata.annotations['${RESULT_ASKED_ANNOTATION}']` } }],
        },
      },
    ],
    containers: [{ name: base, volumeMounts: [{ name: RESULT_SIDECAR, mountPath: RESULT_FOLDER }] }],
    initContainers: [
      {
        name: RESULT_SIDECAR,
        image: given.image,
        restartPolicy: 'Always',
        command: ['sh', '-c', SCRIPT, RESULT_SIDECAR],
        args: [
          ...(given.workspace ? ['until', FETCHED] : []),
          RESULT_FOLDER,
          `${ASKED_FOLDER}/asked`,
          String(LONGEST_SENT),
          ...files,
        ],
        ...(made.length > 0 && { lifecycle: { postStart: hook } }),
        ...(!hasResources && resourcesFor(pod, given.workspace !== undefined)),
        securityContext: { ...securityContextFor(pod, base, given.securityContext), ...given.securityContext },
        volumeMounts: [
          { name: RESULT_SIDECAR, mountPath: RESULT_FOLDER, ...(made.length === 0 && { readOnly: true }) },
          { name: ASKED_VOLUME, mountPath: ASKED_FOLDER, readOnly: true },
          ...(given.workspace
            ? [
                { ...given.workspace, readOnly: true },
                { name: FILES_VOLUME, mountPath: FILES_FOLDER },
              ]
            : []),
        ],
      },
    ],
  };
}

/** As little as the profile "restricted" of Pod Security asks for, and the user of the base container, whose files it has to read. */
export function securityContextFor(pod: JsonObject, base: string, given: JsonObject = {}): JsonObject {
  const ofPod = objectOf(objectOf(pod['spec'])['securityContext']);
  const ofBase = objectOf(containerNamed(pod, base)?.['securityContext']);
  const either = { ...ofPod, ...ofBase, ...given };
  const taken = ['runAsUser', 'runAsGroup', 'runAsNonRoot', 'seLinuxOptions'].filter(field => field in ofBase);
  const needsUser = either['runAsNonRoot'] === true && either['runAsUser'] === undefined;
  return {
    ...Object.fromEntries(taken.map(field => [field, ofBase[field] as Json])),
    ...(needsUser && { runAsUser: NOBODY }),
    // The API server takes no more of both.
    ...(given['privileged'] !== true && { allowPrivilegeEscalation: false }),
    capabilities: { drop: ['ALL'] },
    readOnlyRootFilesystem: true,
    seccompProfile: { type: 'RuntimeDefault' },
  };
}

/** Where the pod itself has resources, all containers share them, and the limits of one may not be above them. */
function resourcesFor(pod: JsonObject, hasFiles: boolean): JsonObject {
  if (objectOf(pod['spec'])['resources'] !== undefined) return {};
  return { resources: isGuaranteed(pod) ? GUARANTEED : hasFiles ? WITH_FILES : RESOURCES };
}

/** Whether every container has limits of CPU and memory, and requests, if any, that are the same. */
function isGuaranteed(pod: JsonObject): boolean {
  return [...containersOf(pod), ...initContainersOf(pod)]
    .filter(({ name }) => name !== RESULT_SIDECAR)
    .every(container => {
      const { limits, requests } = objectOf(container['resources']);
      return ['cpu', 'memory'].every(name => {
        const [limit, request = limit] = [objectOf(limits)[name], objectOf(requests)[name]];
        return limit !== undefined && quantityValue(limit) === quantityValue(request as Json);
      });
    });
}
