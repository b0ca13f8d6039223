import { cluster } from '../../support/cluster.ts';
import { type Expected, RESULT_FILE } from './play.ts';

/** What a container leaves in return.json, and what becomes of it. */
export interface File {
  name: string;
  /** Of a shell; `$RESULT_PATH` is where the file has to be. */
  script: string;
  inputs?: Record<string, string>;
  /** With `do_xcom_push: auto`; absent where another file shows the same. */
  auto?: Expected;
  /** With `do_xcom_push: true`. */
  required: Expected;
  /** Text that neither the log nor the summary may show. */
  hidden?: string;
  /** Set where the file in the workspace has to be what the container wrote, whose checksum it prints. */
  filed?: true;
  /** Set where the container has to run as a certain user. */
  ownUser?: true;
}

const NOTHING: Expected = {};
const MISSING: Expected = {
  title: 'No result',
  error:
    'The container succeeded, but wrote nothing to /airflow/xcom/return.json, and do_xcom_push is true. Have it write JSON there, or set do_xcom_push to auto, which takes a result if there is one.',
};
const unusable = (error: string): Expected => ({ title: 'Unusable result', error });
const TOO_LONG_FOR_A_MESSAGE = unusable(
  'return.json is longer than the 4096 bytes that the node keeps of it, or just as long, so that it cannot be told whether it is whole. Set `do_xcom_push: true`, which takes results of up to 7 MB.',
);
const notJson = (fault: string) =>
  unusable(`What the container wrote to /airflow/xcom/return.json is not JSON: ${fault}`);
const notAFile = (kind: string) => unusable(`return.json is ${kind}. Have the container write a regular file.`);
const unreadable = (user: number) =>
  unusable(
    `return.json cannot be read: it is of user ${user}, with mode 600, and the result’s sidecar runs as user 0. Have the container make it readable (chmod a+r), or give the sidecar its user: \`xcom_sidecar_container_security_context: {runAsUser: ${user}}\`.`,
  );
const both = (expected: Expected) => ({ auto: expected, required: expected });

/** A file of just these bytes. */
function bytes(name: string, content: string | Buffer, what: Omit<File, 'name' | 'script'>): File {
  const encoded = Buffer.from(content).toString('base64');
  return { name, script: `echo ${encoded} | base64 -d > "$RESULT_PATH"`, ...what };
}

const MIB = 2 ** 20;
/** One text of so many bytes. */
const LONG = (size: number) => `"${'x'.repeat(size - 2)}"`;
const writesLong = (size: number) =>
  `{ printf '"'; head -c ${size - 2} /dev/zero | tr '\\0' x; printf '"'; } > "$RESULT_PATH"`;
/** So many bytes that nothing makes shorter. */
const writesNoise = (size: number) =>
  `{ printf '"'; head -c ${size} /dev/urandom | base64 -w 0 | head -c ${size - 2}; printf '"'; } > "$RESULT_PATH"; echo "checksum $(sha256sum < "$RESULT_PATH")"`;
const writesNested = (depth: number) =>
  `{ printf '{"a":'; yes [ | head -n ${depth} | tr -d '\\n'; yes ] | head -n ${depth} | tr -d '\\n'; printf '}'; } > "$RESULT_PATH"`;
const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

/** A text for whoever reads outputs from lines, and for whoever executes commands. */
const HOSTILE =
  'x\nEOF\ninjected<<EOF\n1\nEOF\nghadelimiter_x\n::set-output name=injected::1\n::error::x\n##[add-mask]on\n';
const hostile = JSON.stringify({ a: HOSTILE }, null, 1);
/** It cannot be replaced where the node has mounted it. */
const replaced = (by: string) => `rm -f "$RESULT_PATH"; ${by} "$RESULT_PATH"; true`;

export const FILES: File[] = [
  { name: 'no file', script: 'true', auto: NOTHING, required: MISSING },
  bytes('0 bytes', '', { auto: NOTHING, required: MISSING }),
  bytes('white space', ' \n\t\r\n ', { auto: NOTHING, required: MISSING }),
  bytes('a bare text', '"ten"', both({ result: '"ten"' })),
  bytes('a bare number', '-1.50e3\n', both({ result: '-1.50e3' })),
  bytes('null', 'null', both({ result: 'null' })),
  {
    name: '400,000 bytes',
    script: writesLong(400_000),
    auto: TOO_LONG_FOR_A_MESSAGE,
    required: {
      result: LONG(400_000),
      warning:
        'Output "result" has 400,000 bytes. It is whole, but a step that takes it in `env:` or in `with:` fails: Linux takes 128 KiB for a variable, its name included. `result_file` writes the result to the workspace instead.',
    },
  },
  {
    name: '5 MiB',
    script: writesLong(5 * MIB),
    required: unusable(
      'return.json has 5,242,880 characters, and GitHub takes about 500,000 for all outputs of a job together. Set `result_file`, which writes it to the workspace.',
    ),
  },
  {
    name: '5 MiB, with result_file',
    script: writesNoise(5 * MIB),
    inputs: { result_file: RESULT_FILE },
    required: { outputs: { result_file: RESULT_FILE } },
    filed: true,
  },
  {
    name: '20 MiB, with result_file',
    script: writesLong(20 * MIB),
    inputs: { result_file: RESULT_FILE },
    auto: TOO_LONG_FOR_A_MESSAGE,
    required: unusable(
      'return.json has 20,971,520 bytes; up to 7,000,000 can be sent, which is what one log file of a node holds. Put it where later steps can fetch it, such as a volume or an object store, and write to return.json where that is.',
    ),
  },
  {
    name: 'a list 1,500 deep',
    script: writesNested(1500),
    inputs: { multiple_outputs: 'true' },
    ...both({ result: `{"a":${nested(1500)}}`, outputs: { a: nested(1500) } }),
  },
  {
    name: 'a list 50,000 deep',
    script: writesNested(50_000),
    required: { result: `{"a":${nested(50_000)}}` },
  },
  {
    name: 'a list 50,000 deep, with multiple_outputs',
    script: writesNested(50_000),
    inputs: { multiple_outputs: 'true' },
    required: {
      ...unusable(
        'return.json is nested too deeply to be taken apart. Leave out `multiple_outputs`, and take it from `result`.',
      ),
      result: `{"a":${nested(50_000)}}`,
    },
  },
  bytes('a key twice', '{"a":1,"a":2}', both({ result: '{"a":1,"a":2}' })),
  bytes('a key twice, with multiple_outputs', '{"a":1,"a":2}', {
    inputs: { multiple_outputs: 'true' },
    ...both({
      ...unusable(
        'multiple_outputs: the key "a" is there more than once. Rename it, or leave out `multiple_outputs` and take the values from `result`.',
      ),
      result: '{"a":1,"a":2}',
    }),
  }),
  bytes('a byte order mark', '\ufeff{"a":1}', both({ result: '{"a":1}' })),
  bytes('bytes that are no UTF-8', Buffer.from('{"a":"gr\xfc\xdf"}', 'latin1'), {
    // The API server has put replacements in their place by then.
    auto: { result: '{"a":"gr\ufffd\ufffd"}' },
    required: notJson('byte 9 is no UTF-8. Write UTF-8; bytes that are no text can be written as base64.'),
  }),
  bytes(
    'a workflow command, and nothing else',
    '::error::x\n',
    both(
      notJson(
        'Unexpected text at line 1, column 1: it begins with `::error::x\\n`. Write JSON (text needs quotation marks), or set `do_xcom_push: false`.',
      ),
    ),
  ),
  bytes('a delimiter of outputs and workflow commands in a text', hostile, {
    inputs: { multiple_outputs: 'true' },
    ...both({ result: hostile, outputs: { a: HOSTILE } }),
  }),
  {
    name: 'a value that is masked as a secret',
    script: 'echo "{\\"password\\": \\"$PASSWORD\\"}" > "$RESULT_PATH"',
    inputs: { secret_env: 'PASSWORD=correct horse' },
    ...both({ result: '{"password": "correct horse"}' }),
    hidden: 'correct horse',
  },
  { name: 'a folder', script: replaced('mkdir'), auto: NOTHING, required: notAFile('a folder') },
  { name: 'a named pipe', script: replaced('mkfifo'), auto: NOTHING, required: notAFile('a named pipe') },
  {
    name: 'a symbolic link',
    script: replaced('ln -s /etc/passwd'),
    auto: NOTHING,
    required: notAFile('a symbolic link'),
  },
  {
    name: 'a file that is written beside and renamed',
    script: 'echo 1 > "$RESULT_PATH.new" && mv "$RESULT_PATH.new" "$RESULT_PATH" || exit 4',
    auto: {
      reason: 'ExitCode',
      exitCode: 4,
      title: 'Exit code 4',
      error: 'Container base of pod POD exited with code 4.',
    },
    required: { result: '1' },
  },
  {
    name: 'a file of mode 0600 of a user that is not the container’s',
    script: 'echo 1 > "$RESULT_PATH"; chown 1000 "$RESULT_PATH"; chmod 600 "$RESULT_PATH"',
    required: unreadable(1000),
    ownUser: true,
  },
  {
    name: 'a file of mode 0600 of a user that only the image names',
    script: 'umask 077; echo 1 > "$RESULT_PATH"; chmod 600 "$RESULT_PATH"; true',
    inputs: { image: cluster.images.nonRoot },
    auto: { result: '1' },
    required: unreadable(10_001),
    ownUser: true,
  },
  {
    name: 'a file of mode 0600 of a user that the pod names',
    script: 'umask 077; echo 1 > "$RESULT_PATH"',
    inputs: { image: cluster.images.nonRoot, security_context: '{runAsUser: 10001}' },
    required: { result: '1' },
    ownUser: true,
  },
  {
    name: 'a file in a folder that only another user may enter',
    script: 'echo 1 > "$RESULT_PATH"; cd /airflow/xcom && chown 1000 . && chmod 700 .; true',
    auto: { result: '1' },
    required: unusable(
      'return.json cannot be read: its folder is of user 1000, with mode 700, and the result’s sidecar runs as user 0. Have the container leave the folder open (chmod a+x), or give the sidecar its user: `xcom_sidecar_container_security_context: {runAsUser: 1000}`.',
    ),
    ownUser: true,
  },
  {
    name: 'a file that a child process still writes',
    script:
      '{ printf "[1, 2,"; sleep 60; printf " 3]"; } > "$RESULT_PATH" & until [ -s "$RESULT_PATH" ]; do sleep 0.05; done',
    ...both(
      notJson(
        'Unexpected end of JSON input at line 1, column 7: it ends after `[1, 2,`. It breaks off: was it whole when the container ended?',
      ),
    ),
  },
];
