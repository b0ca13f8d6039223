import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import { placesOf } from '../../dev/cluster/places.ts';
import { grant, rulesFor } from '../../src/kubernetes/access.ts';
import { applyAll } from '../support/account.ts';
import { cluster, Namespace, script } from '../support/cluster.ts';
import { GitServer } from '../support/git-server.ts';
import type { StepResult } from '../support/step-runner.ts';
import { ENVIRONMENTS } from './results/environments.ts';

const TOKEN = 'ghs_c2hhbGwgbm90IGJlIHNlZW4';
const hasLfs = () => {
  try {
    execFileSync('git', ['lfs', 'version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

let namespace: Namespace;
let server: GitServer;
let commit: string;
beforeAll(async () => {
  namespace = await Namespace.create();
  await mayCheckOut(namespace);
  // The address of this machine that pods have a way to.
  const shown = execFileSync('ip', ['-o', '-4', 'addr', 'show', 'dev', placesOf(cluster.name).bridge]).toString();
  server = await GitServer.start(/inet ([0-9.]+)/.exec(shown)?.[1] ?? '', TOKEN);
  commit = server.commit('octo/repo', { files: { 'README.md': 'first\n', 'src/main.sh': 'echo main\n' } });
}, 60_000);
afterAll(async () => {
  server[Symbol.dispose]();
  await namespace[Symbol.asyncDispose]();
});
beforeEach(() => {
  server.broken = 0;
  server.requests.length = 0;
});

const accounts = new Map<Namespace, string>();
/** Makes somebody who may do in a namespace what a checkout takes, and no more. */
async function mayCheckOut(where: Namespace): Promise<void> {
  accounts.set(where, await where.account('checkout'));
  const user = `system:serviceaccount:${where.name}:checkout`;
  const use = { dryRun: false, logs: true, ownSecrets: true, passingSecret: true };
  await applyAll(cluster, grant(user, where.name, rulesFor(use)));
}

interface Given {
  inputs?: Record<string, string>;
  commit?: string;
  repository?: string;
  token?: string;
  where?: Namespace;
}
const given = (text: string, { inputs, where = namespace, token = TOKEN, ...of }: Given) =>
  [
    {
      ...script(text),
      image: cluster.images.git,
      workspace: 'checkout',
      config_file: accounts.get(where) ?? '',
      github_token: token,
      ...inputs,
    },
    {
      // Longer than git waits for a server that says nothing.
      timeoutMs: 170_000,
      env: {
        GITHUB_SERVER_URL: server.url,
        GITHUB_REPOSITORY: of.repository ?? 'octo/repo',
        GITHUB_SHA: of.commit ?? commit,
      },
    },
  ] as const;
const run = (text: string, options: Given = {}) => (options.where ?? namespace).run(...given(text, options));
const start = (text: string, options: Given = {}) => (options.where ?? namespace).start(...given(text, options));
const messages = ({ annotations }: StepResult) => annotations.map(({ level, message }) => `${level}: ${message}`);
const secrets = (where = namespace) => where.kubectl(['get', 'secrets', '-o', 'name']);
const GIT = 'git log --format=%H; git status --short; git config --get remote.origin.url';

// Nodes in a machine of their own do not reach this one.
(cluster.provider === 'one-node' ? describe : describe.skip)('workspace: checkout', () => {
  test.each(ENVIRONMENTS)(
    'has the job’s commit of a private repository $name',
    async ({ inputs, labels = [] }) => {
      await using own = await Namespace.create();
      await mayCheckOut(own);
      if (labels.length > 0) await own.kubectl(['label', 'namespace', own.name, ...labels]);
      const step = await run(`pwd; cat README.md; echo changed > src/main.sh; ${GIT}`, { inputs, where: own });
      expect(messages(step)).toEqual([]);
      expect(step.text).toContain(
        ['', '/github/workspace', 'first', commit, ' M src/main.sh', `${server.url}/octo/repo`, ''].join('\n'),
      );
      expect(step.text).toMatch(
        new RegExp(`^Checked out octo/repo at ${commit.slice(0, 12)}( after \\d+ s)?\\.$`, 'm'),
      );
      expect(server.requests).toContain(`octo/repo x-access-token:${TOKEN}`);
      expect(await own.pods()).toEqual([]);
    },
    180_000,
  );

  test('is writable for a user who is not known before', async () => {
    await using own = await Namespace.create();
    await mayCheckOut(own);
    const inputs = { image: cluster.images.nonRoot, security_context: '{runAsNonRoot: true}' };
    const step = await run('id -u; echo more >> src/main.sh && rm README.md && ls', { inputs, where: own });
    expect(messages(step)).toEqual([]);
    expect(step.text).toContain('\n10001\nsrc\n');
  }, 180_000);

  test('has the token while it is checked out, and never again', async () => {
    const step = start('until [ -e go ]; do sleep 0.1; done; cat .git/config; env; ls /pod-step; mount', {
      inputs: { name: 'kept', on_finish_action: 'keep_pod' },
    });
    try {
      await step.line(/^Checked out/, 30_000);
      expect(await secrets()).toBe('');
      const [pod] = await namespace.pods();
      const manifest = JSON.stringify(pod);
      for (const form of [TOKEN, Buffer.from(TOKEN).toString('base64')]) expect(manifest).not.toContain(form);
      const mounts = ({ spec }: V1Pod) =>
        [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].flatMap(({ name, volumeMounts = [] }) =>
          volumeMounts.some(mount => mount.name === 'pod-step-token') ? [name] : [],
        );
      expect(pod && mounts(pod)).toEqual(['pod-step-checkout']);
      const name = pod?.metadata?.name ?? '';
      await namespace.kubectl(['exec', name, '-c', 'base', '--', 'touch', '/github/workspace/go']);
      const result = await step.done;
      expect(messages(result)).toEqual([]);
      expect(result.text).not.toContain(TOKEN);
      expect(await namespace.kubectl(['logs', name, '-c', 'pod-step-checkout'])).toBe(
        `Fetching octo/repo at ${commit} from ${server.url}\nChecked out octo/repo at ${commit}\n`,
      );
      const found = await namespace
        .kubectl([...['exec', name, '-c', 'base', '--', 'grep', '-r', TOKEN, '/github/workspace', '/proc/1/environ']])
        .catch(error => String(error));
      expect(found).not.toContain(`:${TOKEN}`);
      await namespace.kubectl(['delete', 'pod', name, '--now']);
    } finally {
      await step.dispose();
    }
  }, 180_000);

  test('needs no token for what is public, and makes no Secret', async () => {
    const own = server.commit('public/repo', { files: { 'README.md': 'for all\n' } });
    const step = await run('cat README.md', { repository: 'public/repo', commit: own, token: '' });
    expect(messages(step)).toEqual([]);
    expect(step.text).toContain('\nfor all\n');
  }, 180_000);

  test('bears a server that is out of order for a moment', async () => {
    server.broken = 1;
    const step = await run('cat README.md');
    expect(messages(step)).toEqual([]);
    expect(step.text).toContain('\nfirst\n');
  }, 180_000);

  test('takes the token from a pod that is left to run before it leaves it', async () => {
    const left = await run('sleep 1; cat README.md', { inputs: { deferrable: 'true' } });
    expect(left.outputs).toMatchObject({ state: 'deferred' });
    expect(await secrets()).toBe('');
    const { pod_name: attach = '', pod_uid = '' } = left.outputs;
    const step = await namespace.attach({ attach, pod_uid });
    expect(step.outputs).toMatchObject({ state: 'succeeded' });
    expect(step.text).toContain('\nfirst\n');
  }, 180_000);

  test('is gone on with by a re-run, which makes no Secret anew', async () => {
    const text = 'echo started; until [ -e go ]; do sleep 0.1; done; cat README.md';
    const first = start(text, { inputs: { name: 'again' } });
    let pod = '';
    try {
      await first.line(/^started$/, 30_000);
      pod = (await first.kill()).outputs['pod_name'] ?? '';
    } finally {
      await first.dispose();
    }
    expect(await secrets()).toBe('');
    const [inputs, { env }] = given(text, { inputs: { name: 'again' }, token: `${TOKEN}2` });
    const second = namespace.start(inputs, { env: { ...env, GITHUB_RUN_ATTEMPT: '2' } });
    try {
      await second.line(/^started$/, 30_000);
      expect(await secrets()).toBe('');
      await namespace.kubectl(['exec', pod, '-c', 'base', '--', 'touch', 'go']);
      expect((await second.done).outputs).toMatchObject({ state: 'succeeded', pod_name: pod });
    } finally {
      await second.dispose();
    }
  }, 180_000);

  describe('on a volume that is kept', () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'kept-workspace-'));
    });
    afterEach(() => rmSync(folder, { recursive: true, force: true }));
    const kept = () => ({ workspace_volume: JSON.stringify({ hostPath: { path: folder } }) });

    test('fetches into the clone that is there, and leaves what git does not know', async () => {
      const first = await run('echo built > cache.txt; echo changed > README.md; cat README.md', { inputs: kept() });
      expect(messages(first)).toEqual([]);
      // Of a checkout that was killed.
      for (const lock of ['index.lock', 'shallow.lock']) writeFileSync(join(folder, '.git', lock), '');
      const next = server.commit('octo/repo', { files: { 'README.md': 'second\n' } });
      const second = await run(`cat README.md cache.txt; ${GIT}`, { inputs: kept(), commit: next });
      expect(messages(second)).toEqual([]);
      expect(second.text).toContain(`\nsecond\nbuilt\n${next}\n?? cache.txt\n`);
      expect(readFileSync(join(folder, '.git/config'), 'utf8')).not.toContain(TOKEN);
    }, 180_000);

    test('does as its own configuration says, not as that of an earlier run', async () => {
      const inner = server.commit('octo/inner', { files: { inner: 'inner\n' } });
      expect(inner).toMatch(/^[0-9a-f]{40}$/);
      const outer = server.commit('octo/outer', { files: { outer: 'outer\n' }, submodules: { inner: '../inner' } });
      const inputs = { ...kept(), checkout_submodules: 'true' };
      const steals = `!sh -c "cat /pod-step/token/token > /github/workspace/stolen"`;
      const first = await run(
        `for at in . inner; do cd /github/workspace/$at
          git config core.sshCommand 'cat /pod-step/token/token'
          git config core.fsmonitor 'cat /pod-step/token/token > /github/workspace/stolen; false'
          git config credential.helper '${steals}'
          printf '#!/bin/sh\\ncat /pod-step/token/token > /github/workspace/stolen\\n' > "$(git rev-parse --git-dir)/post-checkout"
          mkdir -p "$(git rev-parse --git-dir)/hooks"
          cp "$(git rev-parse --git-dir)/post-checkout" "$(git rev-parse --git-dir)/hooks/post-checkout"
          chmod +x "$(git rev-parse --git-dir)/hooks/post-checkout"
          git config filter.steal.smudge 'tee /github/workspace/stolen < /pod-step/token/token'
          echo '* filter=steal' > "$(git rev-parse --git-dir)/info/attributes" || { mkdir -p "$(git rev-parse --git-dir)/info"; echo '* filter=steal' > "$(git rev-parse --git-dir)/info/attributes"; }
          rm -f inner outer
        done`,
        { inputs, repository: 'octo/outer', commit: outer },
      );
      expect(first.text).toMatch(/^Checked out octo\/outer/m);
      const second = await run('ls; cat inner/inner', { inputs, repository: 'octo/outer', commit: outer });
      expect(messages(second)).toEqual([]);
      expect(second.text).toContain('\ninner\nouter\ninner\n');
    }, 180_000);
  });

  describe('with submodules', () => {
    let outer: string;
    beforeAll(() => {
      server.commit('octo/leaf', { files: { leaf: 'a leaf\n' } });
      const ssh = `git@${new URL(server.url).host}:octo/leaf`;
      server.commit('octo/branch', { files: { branch: 'a branch\n' }, submodules: { 'of/leaf': ssh } });
      outer = server.commit('octo/tree', { submodules: { branch: '../branch' } });
    });
    const tree = (checkout_submodules: string) =>
      run('cat branch/branch; cat branch/of/leaf/leaf; git submodule status --recursive', {
        inputs: { checkout_submodules },
        repository: 'octo/tree',
        commit: outer,
      });

    test('has its own', async () => {
      const { text } = await tree('true');
      expect(text).toMatch(/^a branch$/m);
      expect(text).not.toMatch(/^a leaf$/m);
    }, 180_000);

    test('has theirs, by https where they say ssh', async () => {
      const step = await tree('recursive');
      expect(messages(step)).toEqual([]);
      expect(step.text).toContain('\na branch\na leaf\n');
    }, 180_000);
  });

  describe('says why there is none:', () => {
    test.each<[string, () => Given, RegExp]>([
      [
        'a token that does not count',
        () => ({ token: 'ghs_somebody_elses' }),
        /^error: The repository could not be checked out in pod \S+ \(exit code 71\): The server does not give octo\/repo: fatal: Authentication failed for 'http:\S+'\. Give the job `permissions: contents: read`/,
      ],
      [
        'no token',
        () => ({ token: '' }),
        /^error: The repository could not be checked out in pod \S+ \(exit code 71\): The server does not give octo\/repo: fatal: could not read Username for 'http:\S+': terminal prompts disabled\. Give the job/,
      ],
      [
        'no such commit',
        () => ({ commit: '0123456789abcdef0123456789abcdef01234567' }),
        /\(exit code 72\): octo\/repo has no commit 0123456789abcdef0123456789abcdef01234567: fatal: remote error: upload-pack: not our ref \S+\. The commit may be gone by a force push/,
      ],
      [
        'a commit that is none',
        () => ({ commit: '--upload-pack=touch /tmp/x' }),
        /\(exit code 72\): --upload-pack=touch \/tmp\/x is no commit\./,
      ],
      [
        'a submodule of another server',
        () => ({
          repository: 'octo/abroad',
          commit: server.commit('octo/abroad', { submodules: { lib: 'ssh://git@elsewhere.example/octo/repo' } }),
          inputs: { checkout_submodules: 'true' },
        }),
        /\(exit code 73\): A submodule cannot be fetched: fatal: transport 'ssh' not allowed\. The job’s token is for its own repository/,
      ],
      [
        'an image without git',
        () => ({ inputs: { git_image: cluster.images.shell } }),
        /\(exit code 74\): The image has no git\. Check `git_image`/,
      ],
      [
        'an image without a shell',
        () => ({ inputs: { git_image: cluster.images.noShell } }),
        /StartError.*Check `git_image`/,
      ],
    ])(
      '%s',
      async (_, options, sentence) => {
        const step = await run('echo never', options());
        expect(messages(step)).toEqual([expect.stringMatching(sentence)]);
        expect(step.outputs).toMatchObject({
          state: 'failed',
          reason: expect.stringMatching(/InitContainer|StartError/),
        });
        expect(step.text).not.toMatch(/^never$/m);
      },
      60_000,
    );

    (hasLfs() ? test.skip : test)(
      'an image without git-lfs',
      async () => {
        const step = await run('echo never', { inputs: { checkout_lfs: 'true' } });
        expect(messages(step)).toEqual([
          expect.stringMatching(/\(exit code 75\): The image has no git-lfs\. Take `checkout_lfs` away/),
        ]);
      },
      60_000,
    );
  });
});
