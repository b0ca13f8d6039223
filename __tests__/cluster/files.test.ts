import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { cluster, Namespace, script } from '../support/cluster.ts';
import type { StepResult } from '../support/step-runner.ts';
import { folderWith, oddTree, told } from './files/tree.ts';
import { ENVIRONMENTS } from './results/environments.ts';

let namespace: Namespace;
const folders: string[] = [];
beforeAll(async () => {
  namespace = await Namespace.create();
}, 60_000);
afterAll(async () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  await namespace[Symbol.asyncDispose]();
});

const HELPER = { helper_image: cluster.images.shell };
const folder = (files?: Record<string, string>) => kept(folderWith(files));
function kept(path: string): string {
  folders.push(path);
  return path;
}
/** A script that runs in the workspace, with the job's own as it is in `workspace`. */
const run = (
  text: string,
  workspace: string,
  inputs: Record<string, string> = {},
  options: Parameters<Namespace['run']>[1] = {},
) => namespace.run({ ...HELPER, workspace: 'upload', run: text, ...inputs }, { workspace, ...options });
const messages = ({ annotations }: StepResult) => annotations.map(({ level, message }) => `${level}: ${message}`);

describe('the job’s workspace', () => {
  test.each(ENVIRONMENTS)(
    'arrives as it is, and comes back, $name',
    async ({ inputs, labels = [] }) => {
      await using own = await Namespace.create();
      if (labels.length > 0) await own.kubectl(['label', 'namespace', own.name, ...labels]);
      const [before, workspace] = [kept(oddTree()), kept(oddTree())];
      const step = await own.run(
        {
          ...HELPER,
          workspace: 'upload',
          run: 'pwd; echo "$GITHUB_WORKSPACE"; mkdir /github/workspace/back; for one in * .hidden; do [ "$one" = back ] || cp -a -- "$one" back/; done',
          download: 'back',
          ...inputs,
        },
        { workspace },
      );
      expect(messages(step)).toEqual([]);
      expect(step.outputs).toMatchObject({ state: 'succeeded' });
      expect(step.text).toContain('\n/github/workspace\n/github/workspace\n');
      expect(told(join(workspace, 'back'))).toEqual(told(before));
      expect(step.summary).toMatch(
        /<td>Files<\/td><td>\d+ files, .* uploaded in .* s<br>\d+ files, .* fetched in .* s<\/td>/,
      );
      expect(step.summary).not.toContain('Container</th>');
      expect(await own.pods()).toEqual([]);
    },
    60_000,
  );

  test('is without .git, and what workspace_exclude names', async () => {
    const workspace = folder({
      ...{
        '.git/config': 'secret',
        'a.log': '',
        'keep.log': '',
        'node_modules/x/y.js': '',
        'src/node_modules/z.js': '',
      },
      ...{ 'src/main.c': '', 'build/out.o': '', 'src/build/in.c': '' },
    });
    const exclude = '# what is made\n*.log\n!keep.log\nnode_modules/\n/build\n';
    const step = await run('find . -type f | sort', workspace, { workspace_exclude: exclude });
    expect(step.text).toContain('\n./keep.log\n./src/build/in.c\n./src/main.c\n');
    expect(step.text).not.toMatch(/node_modules|a\.log|out\.o|\.git/);
  });

  test('is there for a command as well, and a working directory in it', async () => {
    const workspace = folder({ 'src/main.c': 'int main;' });
    const step = await namespace.run(
      {
        ...HELPER,
        ...script('pwd; cat main.c'),
        workspace: 'upload',
        working_dir: 'src',
        workspace_path: '/work/here',
      },
      { workspace },
    );
    expect(messages(step)).toEqual([]);
    expect(step.text).toMatch(/\n\/work\/here\/src\nint main;/);
  });

  test('is begun with before anything is created', async () => {
    const workspace = folder({ 'large.bin': 'x'.repeat(100_000) });
    const step = await run('true', workspace, { workspace_volume: '{emptyDir: {sizeLimit: 50Ki}}' });
    expect(messages(step)).toEqual([
      'error: workspace: 1 file, 98 KiB, and the volume has room for 50 KiB. Leave some out by `workspace_exclude`, or give a larger `workspace_volume`.',
    ]);
    expect(step.outputs).toEqual({ state: 'failed', reason: 'InvalidInput' });
  });

  test('without anything in it is told', async () => {
    const step = await run('ls -A | wc -l', folder());
    expect(messages(step)).toEqual([
      'warning: workspace: the job’s workspace is empty, or all in it is left out. actions/checkout fills it, in a step before this one.',
    ]);
    expect(step.outputs).toMatchObject({ state: 'succeeded' });
  });

  test('on a volume is kept there between runs', async () => {
    const place = `/var/tmp/kubernetes-pod-step-${namespace.name}`;
    try {
      const volume = {
        workspace_volume: JSON.stringify({ hostPath: { path: place, type: 'DirectoryOrCreate' }, subPath: 'a' }),
      };
      const first = folder({ 'a.txt': 'one', 'b.txt': 'one' });
      expect((await run('echo cached > cache.txt; rm b.txt', first, volume)).outputs).toMatchObject({
        state: 'succeeded',
      });
      const second = folder({ 'a.txt': 'two' });
      const step = await run('head *.txt', second, volume);
      expect(step.text).toContain('==> a.txt <==\ntwo');
      expect(step.text).toContain('==> cache.txt <==\ncached');
    } finally {
      rmSync(place, { recursive: true, force: true });
    }
  });

  test('is uploaded by a step that leaves its pod, and fetched from by one that attaches', async () => {
    const workspace = folder({ 'in.txt': 'in' });
    const given = { deferrable: 'true', download: 'out.txt!' };
    const left = await run('until [ -e go ]; do sleep 0.1; done; cat in.txt > out.txt', workspace, given);
    const { pod_name: attach = '', pod_uid = '' } = left.outputs;
    expect(left.outputs).toMatchObject({ state: 'deferred' });
    const other = folder();
    const following = namespace.attach({ attach, pod_uid, download: 'out.txt!' }, { workspace: other });
    await namespace.kubectl(['exec', attach, '-c', 'base', '--', 'touch', 'go']);
    const step = await following;
    expect(messages(step)).toEqual([]);
    expect(step.outputs).toMatchObject({ state: 'succeeded' });
    expect(readFileSync(join(other, 'out.txt'), 'utf8')).toBe('in');
    expect(await namespace.pods()).toEqual([]);
  }, 60_000);
});

describe('files that come back', () => {
  test('come also where the container has failed', async () => {
    const workspace = folder({ 'a.txt': '' });
    const step = await run('mkdir reports; echo "<bad/>" > reports/unit.xml; exit 3', workspace, {
      download: 'reports/**/*.xml\nlogs/*.log',
    });
    expect(step.outputs).toMatchObject({ state: 'failed', reason: 'ExitCode', exit_code: '3' });
    expect(readFileSync(join(workspace, 'reports/unit.xml'), 'utf8')).toBe('<bad/>\n');
    expect(messages(step)).toEqual([
      `warning: download: nothing in the pod's workspace matches "logs/*.log".`,
      expect.stringMatching(/^error: Container base of pod \S+ exited with code 3( after \d+ s)?\.$/),
    ]);
  });

  test('that had to be there fail a step that has succeeded without them', async () => {
    const workspace = folder();
    const step = await run('echo 1 > a.txt; echo x=1 >> "$GITHUB_OUTPUT"', workspace, {
      workspace: 'none',
      download: '*.txt\n*.xml!',
    });
    expect(step.outputs).toMatchObject({ state: 'failed', reason: 'Download', exit_code: '0', x: '1' });
    expect(messages(step)).toEqual([
      `error: download: nothing in the pod's workspace matches "*.xml", which is marked as needed (!). Have the container write it, or take the ! away.`,
    ]);
    expect(existsSync(join(workspace, 'a.txt'))).toBe(true);
  });

  test('are none that the log is written to', async () => {
    const workspace = folder();
    const step = await run('echo mine > log.txt; echo other > other; echo said', workspace, {
      ...{ workspace: 'none', download: '**', log_file: 'log.txt' },
    });
    expect(messages(step)).toEqual([
      `warning: download: "log.txt" did not come back: here it is the container's log (log_file).`,
    ]);
    expect(readFileSync(join(workspace, 'log.txt'), 'utf8')).toMatch(/said\n$/);
    expect(readFileSync(join(workspace, 'other'), 'utf8')).toBe('other\n');
  });

  test('that are too many leave nothing behind', async () => {
    const workspace = folder();
    const step = await run('head -c 300000 /dev/zero > a.bin; mkdir b; head -c 800000 /dev/zero > b/c.bin', workspace, {
      workspace: 'none',
      download: '**/*.bin',
      download_limit: '1M',
    });
    expect(step.outputs).toMatchObject({ state: 'failed', reason: 'Download' });
    expect(messages(step)[0]).toMatch(/download_limit/);
    expect(told(workspace)).toEqual([]);
  });

  test('are none that could act on the job, nor lead out of its workspace', async () => {
    const workspace = folder({ '.git/config': 'ours', 'real.txt': 'ours' });
    mkdirSync(join(workspace, 'sub'));
    symlinkSync('/tmp', join(workspace, 'outside'));
    const hostile = [
      'mkdir -p .git/hooks sub/.GIT out && echo bad > .git/hooks/post-checkout; echo bad > .git/config; echo bad > sub/.GIT/config',
      'ln -s /etc/passwd out/absolute; ln -s ../../../etc out/up; ln -s . out/here; ln -s here/../../.. out/through',
      'mkfifo out/pipe; echo good > out/good.txt; ln out/good.txt out/hard; chmod 4777 out/good.txt',
      'rm outside; mkdir outside; echo bad > outside/kubernetes-pod-step-hostile',
    ];
    const step = await run(hostile.join('\n'), workspace, { download: '**' });
    expect(step.outputs).toMatchObject({ state: 'succeeded' });
    const after = told(workspace).map(line => line.replace(/ [0-9a-f]{64}$/, ''));
    expect(after.filter(line => line.includes('out/'))).toEqual([
      'file 777 "out/good.txt"',
      'file 777 "out/hard"',
      'link "out/here" -> "."',
    ]);
    expect(readFileSync(join(workspace, '.git/config'), 'utf8')).toBe('ours');
    expect(existsSync(join(workspace, '.git/hooks'))).toBe(false);
    expect(existsSync('/tmp/kubernetes-pod-step-hostile')).toBe(false);
    expect(lstatSync(join(workspace, 'outside')).isSymbolicLink()).toBe(true);
    expect(messages(step).join('\n')).toMatch(/did not come back: .*"out\/absolute"/s);
  });

  test('that the sidecar may not read are told, and the others come', async () => {
    const workspace = folder();
    // Root without capabilities, which the sidecar is, has to be let in like anybody.
    const step = await run('echo 1 > a.txt; echo 2 > b.txt; chown 1000 b.txt; chmod 600 b.txt', workspace, {
      workspace: 'none',
      download: '*.txt',
    });
    expect(step.outputs).toMatchObject({ state: 'failed', reason: 'Download' });
    expect(messages(step)[0]).toMatch(/could be read in the pod: .*b\.txt.*[Pp]ermission denied/);
    expect(told(workspace)).toEqual([expect.stringMatching(/^file 644 "a.txt"/)]);
  });

  test('that stand in a folder which the sidecar may not enter are not passed over', async () => {
    const step = await run('mkdir reports; echo 1 > reports/a.xml; chown 1000 reports; chmod 700 reports', folder(), {
      workspace: 'none',
      download: 'reports/**',
    });
    expect(step.outputs).toMatchObject({ state: 'failed', reason: 'Download' });
    expect(messages(step)[0]).toMatch(/could be read in the pod: find: \.\/reports: Permission denied\./);
  });

  test('are not looked for behind a link, where the sidecar has files of its own', async () => {
    const workspace = folder();
    const step = await run('ln -s /etc out; ln -s /proc/1 p; echo 1 > a.txt', workspace, {
      workspace: 'none',
      download: 'out/passwd\np/cmdline\na.txt',
    });
    expect(step.outputs).toMatchObject({ state: 'succeeded' });
    expect(messages(step)).toEqual([
      `warning: download: nothing in the pod's workspace matches "out/passwd", "p/cmdline".`,
    ]);
    expect(told(workspace)).toEqual([expect.stringMatching(/^file 644 "a.txt"/)]);
  });

  test('are no repository that git would act on', async () => {
    const workspace = folder();
    const repository =
      'mkdir -p out/objects out/refs; echo "ref: refs/heads/main" > out/HEAD; echo "[core]" > out/config';
    const step = await run(repository, workspace, { workspace: 'none', download: 'out' });
    expect(step.outputs).toMatchObject({ state: 'succeeded' });
    expect(messages(step)).toEqual([
      'warning: download: 1 file did not come back: "out/HEAD" (with what is beside it, git would take its folder for a repository).',
    ]);
    expect(existsSync(join(workspace, 'out/HEAD'))).toBe(false);
  });

  test('are found among thousands of folders, each in another, in little time', async () => {
    const nested = 'p=$(printf "a/%.0s" $(seq 1900)); for i in 0 1 2 3; do mkdir -p "d$i/$p"; done; echo 1 > d1/a.xml';
    const workspace = folder();
    const step = await run(nested, workspace, { workspace: 'none', download: '**/*.xml!' });
    expect(messages(step)).toEqual([]);
    expect(readFileSync(join(workspace, 'd1/a.xml'), 'utf8')).toBe('1\n');
    expect(Number(/^Fetched 1 file, .* in ([0-9.]+) s\.$/m.exec(step.text)?.[1])).toBeLessThan(20);
  }, 60_000);

  test('that have no room here leave the container’s own failure in its place', async () => {
    const workspace = folder();
    const step = await run('head -c 5000 /dev/zero > a.bin; exit 3', workspace, {
      workspace: 'none',
      download: 'a.bin',
      download_limit: '4k',
    });
    expect(step.outputs).toMatchObject({ state: 'failed', reason: 'ExitCode', exit_code: '3' });
    expect(messages(step)).toEqual([
      'warning: The files that download names have more than 3.9 KiB together. Name fewer, or raise `download_limit`.',
      expect.stringMatching(/exited with code 3( after \d+ s)?\.$/),
    ]);
  });

  test('that are on their way when the step is cancelled do not hold its pod', async () => {
    const step = namespace.start(
      { ...HELPER, workspace: 'none', run: 'truncate -s 3G big', download: 'big', download_limit: '4Gi' },
      { workspace: folder() },
    );
    try {
      await step.line(/^Fetching files: /, 30_000);
      const pod = (await step.cancel()).outputs['pod_name'] ?? '';
      await namespace.kubectl(['wait', '--for=delete', `pod/${pod}`, '--timeout=20s']);
    } finally {
      await step.dispose();
    }
  }, 90_000);

  test.each([
    ['that is deleted', {}, (pod: string) => ['delete', 'pod', pod, '--wait=false'], 'PodDeleted'],
    ['that runs into its deadline', { active_deadline_seconds: '3' }, undefined, 'DeadlineExceeded'],
  ])(
    'of a pod %s come as soon as its container has ended',
    async (_, more, stops, reason) => {
      const workspace = folder();
      const says = 'echo a > a; trap "echo t > t; exit 3" TERM; echo up; sleep 600 & wait';
      const given = { workspace: 'none', run: says, download: '*', ...more };
      const step = namespace.start({ ...HELPER, ...given }, { workspace });
      try {
        await step.line(/^up$/, 30_000);
        const [pod] = await namespace.pods();
        if (stops) await namespace.kubectl(stops(pod?.metadata?.name ?? ''));
        const result = await step.done;
        expect(result.outputs).toMatchObject({ state: 'failed', reason });
        expect(result.annotations.map(({ level }) => level)).toEqual(['error']);
        expect(result.text).toMatch(/^Fetched 2 files, /m);
        expect(readFileSync(join(workspace, 't'), 'utf8')).toBe('t\n');
        expect(await namespace.pods()).toEqual([]);
      } finally {
        await step.dispose();
      }
    },
    60_000,
  );

  test('are still there for the next who follows, where a step has left its pod to run', async () => {
    const [workspace, other] = [folder(), folder()];
    const given = { workspace: 'none', deferrable: 'true', download: 'a!' };
    const left = await run('echo a > a; until [ -e go ]; do sleep 0.1; done', workspace, given);
    const { pod_name: attach = '', pod_uid = '' } = left.outputs;
    const follows = { attach, pod_uid, download: 'a!' };
    const first = await namespace.attach({ ...follows, attach_timeout_seconds: '1' }, { workspace: other });
    expect(first.outputs).toMatchObject({ state: 'deferred' });
    await namespace.kubectl(['exec', attach, '-c', 'base', '--', 'touch', 'go']);
    const second = await namespace.attach(follows, { workspace: other });
    expect(messages(second)).toEqual([]);
    expect(second.outputs).toMatchObject({ state: 'succeeded' });
    expect(readFileSync(join(other, 'a'), 'utf8')).toBe('a\n');
  }, 60_000);

  test('are still there where a cancelled step has kept its pod', async () => {
    const other = folder();
    const given = { workspace: 'none', on_kill_action: 'keep_pod', download: 'a!' };
    const step = namespace.start(
      { ...HELPER, ...given, run: 'echo a > a; echo up; until [ -e go ]; do sleep 0.1; done' },
      { workspace: folder() },
    );
    try {
      await step.line(/^up$/, 30_000);
      const { pod_name: attach = '', pod_uid = '' } = (await step.cancel()).outputs;
      await namespace.kubectl(['exec', attach, '-c', 'base', '--', 'touch', 'go']);
      const next = await namespace.attach({ attach, pod_uid, download: 'a!' }, { workspace: other });
      expect(messages(next)).toEqual([]);
      expect(readFileSync(join(other, 'a'), 'utf8')).toBe('a\n');
    } finally {
      await step.dispose();
    }
  }, 60_000);

  test('are known to be out of reach before the container has done its work', async () => {
    await using own = await Namespace.create();
    const file = await own.account('no-exec');
    const verbs = '--verb=create,get,list,watch,delete,patch';
    await own.kubectl(['create', 'role', 'no-exec', verbs, '--resource=pods,pods/log,events,secrets']);
    await own.kubectl(['create', 'rolebinding', 'no-exec', '--role=no-exec', `--serviceaccount=${own.name}:no-exec`]);
    const given = { workspace: 'none', run: 'sleep 600', download: '**', config_file: file };
    const step = await own.run({ ...HELPER, ...given, termination_grace_period: '1' }, { workspace: folder() });
    expect(step.outputs).toMatchObject({ state: 'failed', reason: 'Forbidden' });
    expect(step.text).toMatch(/resources: \[pods\/exec\]\n +verbs: \[get, create\]/);
    expect(step.text).not.toMatch(/^Created: /m);
  }, 60_000);

  test('are not waited for where the step is cancelled', async () => {
    const step = namespace.start(
      { ...HELPER, workspace: 'none', run: 'trap "exit 0" TERM; echo up; sleep 600 & wait', download: '**' },
      { workspace: folder() },
    );
    try {
      await step.line(/^up$/, 30_000);
      const { outputs } = await step.cancel();
      const pod = outputs['pod_name'] ?? '';
      await namespace.kubectl(['wait', '--for=delete', `pod/${pod}`, '--timeout=15s']);
    } finally {
      await step.dispose();
    }
  }, 90_000);
});

describe('what is missing', () => {
  test('the right to exec is told, with the Role', async () => {
    const own = await Namespace.create();
    try {
      const file = await own.account('no-exec');
      const rules = [
        'create',
        'role',
        'no-exec',
        '--verb=create,get,list,watch,delete,patch',
        '--resource=pods,pods/log,events,secrets',
      ];
      await own.kubectl(rules);
      await own.kubectl(['create', 'rolebinding', 'no-exec', '--role=no-exec', `--serviceaccount=${own.name}:no-exec`]);
      const workspace = folder({ 'a.txt': '' });
      const step = await own.run({ ...HELPER, workspace: 'upload', run: 'true', config_file: file }, { workspace });
      expect(step.outputs).toMatchObject({ reason: 'Forbidden' });
      expect(messages(step).join('\n')).toMatch(/:no-exec may not get pods\/exec/);
      expect(step.text).not.toMatch(/^Created: /m);
      expect(step.text).toMatch(/resources: \[pods\/exec\]\n +verbs: \[get, create\]/);
      expect(await own.pods()).toEqual([]);
    } finally {
      await own[Symbol.asyncDispose]();
    }
  }, 60_000);

  test('a shell in the helper’s image is told', async () => {
    const step = await run('true', folder({ a: '' }), { helper_image: cluster.images.noShell });
    expect(step.outputs).toMatchObject({ state: 'failed', reason: 'StartError' });
    expect(messages(step)).toEqual([
      expect.stringMatching(
        /The base container never started\. Check `helper_image`, which has to have what busybox has/,
      ),
    ]);
  });

  test('a download is told to who attaches without, to a pod that holds files', async () => {
    const given = { workspace: 'none', deferrable: 'true', download: 'a' };
    const left = await run('echo a > a', folder(), given);
    const { pod_name: attach = '', pod_uid = '' } = left.outputs;
    const step = await namespace.attach({ attach, pod_uid }, { workspace: folder() });
    expect(step.outputs).toMatchObject({ state: 'succeeded' });
    expect(messages(step)).toEqual([
      'warning: The step that made the pod has a `download`, and this one has none: the files go with the pod.',
    ]);
  });

  test('files that another step has let go are told as that', async () => {
    const given = { workspace: 'none', deferrable: 'true', download: 'a' };
    const left = await run('echo a > a', folder(), given);
    const { pod_name: attach = '', pod_uid = '' } = left.outputs;
    const follows = { attach, pod_uid, download: 'a', on_finish_action: 'keep_pod' };
    expect(messages(await namespace.attach(follows, { workspace: folder() }))).toEqual([]);
    await namespace.kubectl(['wait', '--for=jsonpath={.status.phase}=Succeeded', `pod/${attach}`, '--timeout=20s']);
    const step = await namespace.attach({ ...follows, on_finish_action: 'delete_pod' }, { workspace: folder() });
    expect(messages(step)).toEqual([
      'error: The files that download names are not there any more: another step that followed the pod has fetched what it wanted, and has let the rest go. Fetch all in one step.',
    ]);
  });

  test('a program of the helper’s image is told', async () => {
    const workspace = folder({ 'a.txt': '' });
    const step = await run('true', workspace, { helper_image: cluster.images.noShell });
    expect(step.outputs).toMatchObject({ reason: 'StartError' });
    expect(await namespace.pods()).toEqual([]);
  });
});

test('of a container that has not run nothing is said to be missing', async () => {
  const given = { workspace: 'none', download: '**', cmds: '[no-such-program]' };
  const step = await namespace.run({ ...HELPER, ...given }, { workspace: folder() });
  expect(step.outputs).toMatchObject({ reason: 'StartError' });
  const failing = '[{name: first, image: localhost/pod-step/shell:1, command: [sh, -c, exit 3]}]';
  const init = await run('true', folder(), { workspace: 'none', download: '**', init_containers: failing });
  expect(init.outputs).toMatchObject({ reason: 'InitContainer' });
  expect([step, init].flatMap(messages).filter(message => !message.startsWith('error: '))).toEqual([]);
}, 60_000);

describe('a pod that goes in the middle', () => {
  const large = () => kept(folderWith({ 'large.bin': Buffer.alloc(80_000_000, 'not to be compressed away ') }));

  test('of an upload ends the step in one sentence, and leaves nothing', async () => {
    const step = namespace.start({ ...HELPER, workspace: 'upload', run: 'true' }, { workspace: large() });
    try {
      await step.line(/^Created: /, 30_000);
      await namespace.kubectl([
        'wait',
        '--for=jsonpath={.status.initContainerStatuses[0].state.running}',
        'pods',
        '--all',
      ]);
      const [pod] = await namespace.pods();
      await namespace.kubectl(['delete', 'pod', pod?.metadata?.name ?? '', '--grace-period=1']);
      const result = await step.done;
      expect(result.outputs).toMatchObject({ state: 'failed', reason: 'PodDeleted' });
      expect(result.annotations.filter(({ level }) => level === 'error')).toHaveLength(1);
      expect(await namespace.pods()).toEqual([]);
    } finally {
      await step.dispose();
    }
  }, 60_000);

  test('before the sidecar has started ends the step, too, which has files to fetch', async () => {
    const init = [{ name: 'first', image: cluster.images.shell, command: ['sh', '-c', 'sleep 300'] }];
    const given = { workspace: 'none', download: '**', init_containers: JSON.stringify(init) };
    const step = namespace.start({ ...HELPER, ...given, run: 'true' }, { workspace: folder() });
    try {
      await step.line(/^Created: /, 30_000);
      await namespace.kubectl(['wait', '--for=jsonpath={.status.initContainerStatuses}', 'pods', '--all']);
      const [pod] = await namespace.pods();
      await namespace.kubectl(['delete', 'pod', pod?.metadata?.name ?? '', '--grace-period=0', '--force']);
      const result = await step.done;
      expect(result.outputs).toMatchObject({ state: 'failed', reason: 'PodDeleted' });
      expect(result.annotations).toHaveLength(1);
    } finally {
      await step.dispose();
    }
  }, 60_000);

  test.each([
    ['deleted', (name: string) => ['delete', 'pod', name, '--grace-period=0', '--force']],
    [
      'evicted',
      (name: string) => ['create', '--raw', `/api/v1/namespaces/${namespace.name}/pods/${name}/eviction`, '-f', '-'],
    ],
  ])(
    'of a download, as it is %s, is no success with less than all of it',
    async (_, command) => {
      const workspace = folder();
      const given = { workspace: 'none', download: '**' };
      const step = namespace.start(
        { ...HELPER, ...given, run: 'head -c 300000000 /dev/urandom > large.bin; echo written; sleep 1' },
        { workspace },
      );
      try {
        await step.line(/^Fetching files: /, 60_000);
        const [pod] = await namespace.pods();
        const name = pod?.metadata?.name ?? '';
        const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: namespace.name } };
        await namespace.kubectl(command(name), JSON.stringify(eviction)).catch(() => {});
        const result = await step.done;
        // A node that has begun to end a sidecar, with the time that the pod gives it, goes on with that [measured].
        if (result.outputs['state'] === 'succeeded') {
          expect(statSync(join(workspace, 'large.bin')).size).toBe(300_000_000);
        } else {
          expect(['Download', 'PodDeleted', 'Evicted']).toContain(result.outputs['reason']);
          expect(result.annotations.filter(({ level }) => level === 'error')).toHaveLength(1);
          expect(told(workspace)).toEqual([]);
        }
        expect(await namespace.pods()).toEqual([]);
      } finally {
        await step.dispose();
      }
    },
    90_000,
  );
});

test('a pod whose grace is too short for its files says so', async () => {
  const given = { workspace: 'none', download: '**', termination_grace_period: '1' };
  const step = await namespace.run(
    { ...HELPER, ...given, run: 'head -c 300000000 /dev/urandom > large.bin' },
    { workspace: folder() },
  );
  expect(step.outputs).toMatchObject({ state: 'failed', reason: 'Download' });
  expect(messages(step)).toEqual([
    "error: The files that download names did not come back: the sidecar that holds them had ended before they were all here. The node holds them for the pod's grace after the container's end: give a longer `termination_grace_period`, or name fewer files.",
  ]);
}, 60_000);
