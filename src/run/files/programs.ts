import { ENDED_FILE, FETCHED_FILE, FILES_FOLDER, UPLOADED_FILE, UPLOADED_PIPE } from '../../pod/files-volume.ts';

/**
 * What is run in the containers that move files: sh, and programs that busybox has. What comes from a workflow is an argument, never a part of them.
 * What is sent to them comes in pieces, each after a line that says how long it is, and in the end their number: of a stream that ends nobody is told that it was whole. A byte that is lost or too many is where the next line should be; that none is another than was sent is what TLS is for, and of compressed pieces gzip's CRC-32. A SHA-256 of all takes half as long again, for busybox's tee and sha256sum are slow [measured].
 * Each begins by ending what an earlier connection has left running in its place: it runs on when that is cut [measured]. No `--` stands before its group, which dash takes for a number.
 */
const COMMON = `work=$1 target=$2
shift 2
umask 0
if [ -e "$work/session" ]; then kill -9 "-$(cat "$work/session")" 2>/dev/null; fi
echo $$ >"$work/session"
rm -f "$work/said"
pieces() {
  count=0
  while read -r kind size; do
    case $kind in
      raw) dd bs="$size" count=1 iflag=fullblock 2>/dev/null || return ;;
      gzip) dd bs="$size" count=1 iflag=fullblock 2>/dev/null | gzip -d || return ;;
      end) [ "$size" = "$count" ] && echo yes >"$work/said"; return ;;
      *) return 1 ;;
    esac
    count=$((count + 1))
  done
  return 1
}
`;

/** What was sent is not what has come. */
export const CUT_SHORT = 90;

const RECEIVE = `${COMMON}
uploaded=$work/${UPLOADED_FILE}
if [ -e "$uploaded" ]; then exit 0; fi
if [ "$1" = clear ]; then
  find "$target" -mindepth 1 -type d ! -perm -700 -exec chmod u+rwx {} \\; 2>/dev/null
  find "$target" -mindepth 1 -maxdepth 1 -exec rm -rf {} + || exit
fi
pieces | tar -x -f - -C "$target" || exit
[ -s "$work/said" ] || exit ${CUT_SHORT}
if [ "$2" = open ]; then chmod -R a+rwX "$target"/* "$target"/.[!.]* 2>/dev/null; fi
: >"$uploaded" && : >"$work/${UPLOADED_PIPE}"
`;

const SEND = `mode=$1
shift
${COMMON}
cd "$target" || exit
here=$(readlink -f .)
for root; do
  shift
  up=$(dirname "$root")
  # What is behind a link is not in the workspace.
  if [ "$(readlink -f "$up")" = "$here\${up#.}" ] && { [ -e "$root" ] || [ -L "$root" ]; }; then set -- "$@" "$root"; fi
done
: >"$work/unseen"
[ $# = 0 ] || find "$@" ! -type s -print0 2>"$work/unseen"
printf '\\0'
pieces >"$work/names" && [ -s "$work/said" ] || exit ${CUT_SHORT}
pack() {
  xargs -0 tar --no-recursion -c -f - -- <"$work/names"
  echo $? >"$work/code"
}
if [ "$mode" = gzip ]; then pack | gzip -1; else pack; fi | dd ibs=64k obs=256k 2>/dev/null
if [ -s "$work/unseen" ]; then
  cat "$work/unseen" >&2
  echo 1 >"$work/code"
fi
echo "end $(cat "$work/code")" >&2
`;

const AWAIT_END = `until [ -e "$1/${ENDED_FILE}" ]; do
  echo
  sleep 0.5
done
`;

const RELEASE = `: >"$1/${FETCHED_FILE}"
if [ -e "$1/session" ]; then kill -9 "-$(cat "$1/session")" 2>/dev/null; fi
`;

/**
 * Unpacks what is sent to it, and lets the pod start when it is whole.
 * @param options `clear`: whether the folder is the pod's own, so that what an earlier try has left can go; `open`: whether the files are for a user who is not known
 */
export function receiving(target: string, options: { clear: boolean; open: boolean }): string[] {
  return program(RECEIVE, [target, options.clear ? 'clear' : 'keep', options.open ? 'open' : 'as they are']);
}

/**
 * Says what is there, is told which of it is wanted, and packs that; on stderr it ends with what tar has exited with.
 * dd puts small pieces together: each that a program writes becomes a message, and 1 KiB at a time comes at 10 MB a second [measured].
 * @param roots folders to look in
 */
export function sending(target: string, roots: string[], mode: 'plain' | 'gzip'): string[] {
  const folders = roots.map(root => (root === '.' ? '.' : `./${root}`));
  return ['sh', '-c', SEND, 'pod-step', mode, FILES_FOLDER, target, ...folders];
}

/** @returns tar's exit code, of the last line that {@link sending} has printed on stderr */
export function codeOfTar(last: string): number | undefined {
  const code = /(?:^|\n)end (\d+)\n$/.exec(last)?.[1];
  return code === undefined ? undefined : Number(code);
}

/** Waits until all other containers have ended; what it prints meanwhile shows that it is there. */
export function awaitingEnd(): string[] {
  return program(AWAIT_END, []);
}

/** Lets the pod end. */
export function releasing(): string[] {
  return program(RELEASE, []);
}

function program(script: string, args: string[]): string[] {
  return ['sh', '-c', script, 'pod-step', FILES_FOLDER, ...args];
}
