import type { CheckoutInputs } from '../github/inputs/files.ts';
import type { JsonObject } from './json.ts';
import { literal } from './literal.ts';
import { TOKEN_KEY } from './owned-secrets.ts';

/** The volume with the job's token, and where the checkout has it: no other container mounts it. */
export const TOKEN_VOLUME = 'pod-step-token';
const TOKEN_FOLDER = '/pod-step/token';

/** What the script exits with, for what goes wrong that somebody can see to. */
export const CHECKOUT_CODES = {
  refused: 71,
  noCommit: 72,
  submodules: 73,
  noGit: 74,
  noLfs: 75,
  notWritable: 76,
} as const;

const { refused, noCommit, submodules, noGit, noLfs, notWritable } = CHECKOUT_CODES;

/**
 * Asks nothing of its image but sh, git, and cat, cp, grep, tail as busybox has them; works as any user, with a root that cannot be written to.
 * On a volume that outlives the pod, others may have left a repository, or be changing it at this moment, and git does what a repository's own configuration says: there the checkout is made in a place of its own, and copied.
 * Programs run in the background, for a shell hears of SIGTERM only between them, or in `wait`; as the first process it would otherwise not die of it at all.
 */
const SCRIPT = `workspace=$1 place=$2 server=$3 repository=$4 commit=$5 submodules=$6 lfs=$7
umask "$8"
trap 'exit 143' TERM
fail() {
  code=$1
  shift
  printf '%s\\n' "$*" >&2
  printf '%s' "$*" >/dev/termination-log
  exit "$code"
}
run() {
  "$@" >"$said" 2>&1 &
  wait $!
  set -- $?
  cat "$said" >&2
  return "$1"
}
why() { grep -m 1 -E '^(fatal|error): ' "$said" || tail -n 1 "$said"; }
has_said() { grep -q -i -E "$1" "$said"; }
is_refused() { has_said "authentication failed|could not read (username|password)|^fatal: repository '.*' not found|returned error: 40[134]"; }
tries() {
  for seconds in 5 10 end; do
    run "$@" && return
    if [ "$seconds" = end ] || is_refused; then return 1; fi
    echo "Next try in $seconds s."
    sleep "$seconds" &
    wait $!
  done
}
case $commit in '' | *[!0-9a-f]*) fail ${noCommit} "$commit is no commit." ;; esac
git --version >/dev/null 2>&1 || fail ${noGit} 'The image has no git.'
if [ "$lfs" = true ]; then git lfs version >/dev/null 2>&1 || fail ${noLfs} 'The image has no git-lfs.'; fi
cd "$place" && rm -rf .git || fail ${notWritable} "The workspace has a .git that user $(id -u) may not replace."
said=.git/pod-step-said
(mkdir .git && : >"$said") || fail ${notWritable} "User $(id -u) may not write to the workspace."
run git init --quiet --template= . && run git config remote.origin.url "$server/$repository" &&
  run git config remote.origin.fetch '+refs/heads/*:refs/remotes/origin/*' || fail ${notWritable} "The workspace cannot be a repository: $(why)"
echo "Fetching $repository at $commit from $server"
if ! tries git fetch --quiet --no-tags --no-recurse-submodules --depth 1 origin "$commit"; then
  if is_refused; then fail ${refused} "The server does not give $repository: $(why)"
  elif has_said "not our ref|remote ref|unadvertised object|bad object"; then fail ${noCommit} "$repository has no commit $commit: $(why)"
  else fail 1 "$repository cannot be fetched: $(why)"
  fi
fi
export GIT_LFS_SKIP_SMUDGE=1
run git checkout --quiet --force --detach "$commit" || fail 1 "$commit cannot be checked out: $(why)"
unset GIT_LFS_SKIP_SMUDGE
if [ "$lfs" = true ]; then
  run git lfs install --local --skip-repo && tries git lfs pull || fail 1 "The files of Git LFS cannot be fetched: $(why)"
fi
if [ "$submodules" != none ]; then
  recursive=
  if [ "$submodules" = recursive ]; then recursive=--recursive; fi
  echo 'Fetching submodules'
  tries git submodule --quiet update --init --force --depth 1 $recursive || fail ${submodules} "A submodule cannot be fetched: $(why)"
fi
rm -f "$said"
if [ "$place" != "$workspace" ]; then
  rm -rf "$workspace/.git" || fail ${notWritable} "The workspace has a .git that user $(id -u) may not replace."
  cp -a . "$workspace/" || fail ${notWritable} "What was checked out cannot be copied to the workspace."
fi
echo "Checked out $repository at $commit"
`;

/** Of the mounted file; the commands of a helper's that store and erase are none of its. */
const HELPER = `!f() { if [ "$1" = get ]; then printf 'username=x-access-token\\npassword=%s\\n' "$(cat ${TOKEN_FOLDER}/${TOKEN_KEY})"; fi; }; f`;

/**
 * @param container what it has in common with the others that fill the workspace
 * @param options the workspace's path; where the checkout is made, if not there; whether the files are for a user who is not known
 * @returns the init container that fetches the repository
 */
export function checkoutContainer(
  checkout: CheckoutInputs,
  container: JsonObject & { name: string; volumeMounts: JsonObject[] },
  tokenSecret: string | undefined,
  { path, place = path, open }: { path: string; place?: string; open: boolean },
): JsonObject {
  const { server, repository, commit, submodules, lfs, image } = checkout;
  const mount = { name: TOKEN_VOLUME, mountPath: TOKEN_FOLDER, readOnly: true };
  const args = [path, place, server, repository, commit, submodules, String(lfs), open ? '000' : '022'];
  const variables = {
    // A folder that nobody has: what git reads there nobody has written.
    HOME: '/nonexistent',
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    // Of a submodule's address, too: neither a path of the container's nor a program.
    GIT_ALLOW_PROTOCOL: 'https:http',
    GIT_HTTP_LOW_SPEED_LIMIT: '1000',
    GIT_HTTP_LOW_SPEED_TIME: '60',
    ...gitConfiguration(configuration(server, tokenSecret !== undefined)),
  };
  return {
    ...container,
    image,
    command: ['sh', '-c', SCRIPT, container.name],
    args: args.map(literal),
    env: Object.entries(variables).map(([name, value]) => ({ name, value: literal(value) })),
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMounts: [...container.volumeMounts, ...(tokenSecret === undefined ? [] : [mount])],
  };
}

/** Nothing of it is written to the workspace. */
function configuration(server: string, hasToken: boolean): [key: string, value: string][] {
  const { host } = URL.parse(server) ?? {};
  return [
    // A volume's root is root's, whoever runs git.
    ['safe.directory', '*'],
    ['core.hooksPath', '/dev/null'],
    ['init.defaultBranch', 'main'],
    ['init.templateDir', ''],
    ['gc.auto', '0'],
    ['maintenance.auto', 'false'],
    // The empty one takes those away that the image has.
    ...(hasToken
      ? ([
          ['credential.helper', ''],
          [`credential.${server}.helper`, HELPER],
        ] satisfies [string, string][])
      : []),
    // The token is for https; as actions/checkout has it.
    ...[`git@${host}:`, `ssh://git@${host}/`].map((ssh): [string, string] => [`url.${server}/.insteadOf`, ssh]),
  ];
}

/** @returns the variables that git takes configuration from, since 2.31 */
export function gitConfiguration(entries: [key: string, value: string][]): Record<string, string> {
  return {
    GIT_CONFIG_COUNT: String(entries.length),
    ...Object.fromEntries(
      entries.flatMap(([key, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, key],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
  };
}
