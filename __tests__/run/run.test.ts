import { afterEach, describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import {
  type FakeApiServer,
  type FakeApiServerOptions,
  type FakePod,
  type Fault,
  replies,
  startFakeApiServer,
} from '../support/fake-api-server.ts';
import { RenderedMarkdown } from '../support/rendered-markdown.ts';
import type { RunningStep, StepResult } from '../support/step-runner.ts';
import { expectClean, linesLike, run, start } from './step.ts';

let server: FakeApiServer;
let step: RunningStep | undefined;
afterEach(async () => {
  await step?.dispose();
  step = undefined;
  await server.close();
});

const serve = async (autoplay?: (pod: FakePod) => void | Promise<void>, more: FakeApiServerOptions = {}) => {
  server = await startFakeApiServer({ ...(autoplay && { autoplay }), ...more });
};
const hello = (pod: FakePod) => void pod.run().write('hello').finish();
const deletes = () => server.matching({ verb: 'delete' });
const tidy = { text: '', lines: [], exitCode: 0 };

describe('a step', () => {
  test('that succeeds shows the log, sets its outputs, deletes the pod, and leaves nothing for post', async () => {
    await serve(hello);
    const result = await run(server, { name: 'greeter' });
    expect(result).toMatchObject({ conclusion: 'success', annotations: [] });
    expect(result.post).toMatchObject(tidy);
    const [pod] = server.pods;
    expect(result.outputs).toEqual({
      pod_name: expect.stringMatching(/^greeter-[a-z0-9]{8}$/),
      pod_namespace: 'default',
      pod_uid: pod?.object.metadata.uid,
      node_name: 'node-1',
      image_id: expect.stringContaining('sha256:'),
      state: 'succeeded',
      exit_code: '0',
      started_at: '2026-03-01T12:00:00Z',
      finished_at: '2026-03-01T12:00:00Z',
      duration_seconds: '0',
    });
    expect(linesLike(result, /^hello$/)).toHaveLength(1);
    expect(pod?.removed).toBe(true);
    expect(deletes().map(({ body }) => body)).toEqual([
      expect.objectContaining({ preconditions: { uid: pod?.object.metadata.uid } }),
    ]);
  });

  test('that fails has the container’s exit code, and one annotation', async () => {
    await serve(pod => void pod.run().write('oh').finish({ exitCode: 3 }));
    const result = await run(server, { name: 'p', random_name_suffix: 'false' });
    expect(result).toMatchObject({
      exitCode: 1,
      conclusion: 'failure',
      outputs: { state: 'failed', reason: 'ExitCode', exit_code: '3' },
      annotations: [
        {
          level: 'error',
          title: 'Exit code 3',
          message: 'Container base of pod default/p exited with code 3.',
        },
      ],
    });
    expect(result.post).toMatchObject(tidy);
  });

  describe('that fails', () => {
    const mounting = { type: 'Warning', reason: 'FailedMount', message: '::error::no volume', count: 4 };
    const fails = (pod: FakePod) => {
      pod.run();
      for (let line = 1; line <= 30; line++) pod.write(`line ${line}`);
      pod.finish({ exitCode: 3 });
    };
    const said = (result: StepResult) => {
      const lines = result.lines.map(({ text }) => text);
      return lines
        .slice(lines.findIndex(line => /^(The last lines|Pod default)/.test(line)))
        .filter(line => !/^::/.test(line));
    };
    const account = [
      'Pod default/p on node node-1:',
      '  base  ended with exit code 3 after 0 s',
      'Warnings of the cluster:',
      '  FailedMount (4 times): ::error::no volume',
    ];

    test('has an account of its pod in the log', async () => {
      await serve(fails, { events: [mounting] });
      const result = await run(server, { name: 'p', random_name_suffix: 'false' });
      expect(said(result)).toEqual(expect.arrayContaining(account));
      expect(result.annotations).toHaveLength(1);
    });

    test('has the last lines of a log that is not shown', async () => {
      await serve(fails, { events: [mounting] });
      const result = await run(server, { name: 'p', random_name_suffix: 'false', get_logs: 'false' });
      const last = Array.from({ length: 20 }, (_, index) => `  line ${index + 11}`);
      expect(said(result)).toEqual(expect.arrayContaining(['The last lines of container base:', ...last, ...account]));
      expect(result.text).not.toContain('line 10\n');
    });

    test('has none of it where it is not wanted', async () => {
      await serve(fails, { events: [mounting] });
      const result = await run(server, { get_logs: 'false', log_events_on_failure: 'false' });
      expect(result.text).not.toMatch(/line 30|FailedMount/);
      expect(server.matching({ path: /\/events$/ })).toEqual([]);
    });

    /** The folded lines, without the fence. */
    const folded = ({ lines }: StepResult): string[] => {
      const texts = lines.map(({ raw }) => raw).filter(line => !/^::(stop-commands::)?[0-9a-f]{48}(::)?$/.test(line));
      const start = texts.findIndex(line => line.startsWith('::group::'));
      return start < 0 ? [] : texts.slice(start, texts.indexOf('::endgroup::', start) + 1);
    };

    test('has its pod in the log as the cluster has it, folded, without what is secret', async () => {
      await serve(pod => {
        pod.object.spec.containers.push({ name: 'mesh', env: [{ name: 'A', value: 'injected' }] });
        pod.run().write('the last line').finish({ exitCode: 3 });
      });
      const given = { name: 'p', random_name_suffix: 'false', env_vars: 'A=plain\nB=a correct horse' };
      const result = await run(server, { ...given, secret_env: 'PASSWORD=correct horse' });
      const [first, ...rest] = folded(result);
      expect(first).toBe('::group::The pod as the cluster has it (default/p)');
      expect(rest.at(-1)).toBe('::endgroup::');
      expect(load(rest.slice(0, -1).join('\n'))).toMatchObject({
        kind: 'Pod',
        metadata: { name: 'p', uid: server.pods[0]?.object.metadata.uid },
        spec: {
          nodeName: 'node-1',
          containers: [
            {
              env: [
                { name: 'A', value: 'plain' },
                { name: 'B', value: 'a ***' },
                { name: 'PASSWORD' },
                { name: 'RESULT_PATH', value: '/airflow/xcom/return.json' },
              ],
            },
            { name: 'mesh', env: [{ name: 'A', value: '***' }] },
          ],
        },
      });
      expect(result.text.indexOf('the last line')).toBeLessThan(result.text.indexOf('##[group]'));
      expect(result.text.indexOf('##[error]')).toBeGreaterThan(result.text.indexOf('##[endgroup]'));
    });

    test('before its container has run has its pod in the log too', async () => {
      await serve(pod => void pod.schedule().waiting('ErrImagePull', 'x: not found'));
      expect(folded(await run(server)).at(-1)).toBe('::endgroup::');
    });

    test.each([
      ['it is not wanted', { log_pod_spec_on_failure: 'false' }],
      ['the pod was never created', { namespace: 'nowhere' }],
    ])('has no pod in the log where %s', async (_, inputs) => {
      await serve(fails);
      server.fault({
        match: { path: /nowhere/ },
        times: 9,
        action: { kind: 'answer', reply: replies.namespaceNotFound('nowhere') },
      });
      const result = await run(server, inputs);
      expect(result.conclusion).toBe('failure');
      expect(folded(result)).toEqual([]);
    });

    test('has what there is where the cluster does not let its events be read', async () => {
      await serve(fails);
      const reply = replies.forbidden('list', 'events', 'default');
      server.fault({ match: { path: /\/events$/ }, action: { kind: 'answer', reply } });
      const result = await run(server, { name: 'p', random_name_suffix: 'false' });
      expect(said(result)).toEqual(
        expect.arrayContaining([
          ...account.slice(0, 2),
          'Its events are not shown: the credentials may not read them.',
        ]),
      );
    });
  });

  test.each([
    ['a result', 0, '{"rows": 7}\n', { state: 'succeeded', result: '{"rows": 7}' }],
    ['a result of a failed container', 1, '[1]', { state: 'failed', reason: 'ExitCode', result: '[1]' }],
    ['a result that is no JSON', 0, 'seven', { state: 'failed', reason: 'InvalidResult', exit_code: '0' }],
  ])('%s', async (_, exitCode, message, outputs) => {
    await serve(pod => void pod.run().finish({ exitCode, message }));
    const result = await run(server);
    expect(result.outputs).toMatchObject(outputs);
    expect(server.requests.find(({ verb }) => verb === 'create')?.body).toMatchObject({
      spec: { containers: [{ terminationMessagePath: '/airflow/xcom/return.json' }] },
    });
  });

  test('ends with the container, though a sidecar still runs', async () => {
    await serve(pod => {
      pod.object.spec.containers.push({ name: 'istio-proxy' });
      pod.run().write('hello').terminate({ exitCode: 0 });
    });
    const result = await run(server);
    expect(result.outputs).toMatchObject({ state: 'succeeded' });
    expect(deletes()).toHaveLength(1);
  });
});

describe('the log comes whole, once and in order, when it', () => {
  const lines = Array.from({ length: 12 }, (_, line) => `line ${line}`);
  const slowly = async (pod: FakePod) => {
    pod.run();
    for (const line of lines) {
      pod.write(line);
      await new Promise(resolve => setTimeout(resolve, 5));
    }
    pod.finish();
  };
  const log = { verb: 'log' } as const;

  test.each<[string, Fault[]]>([
    ['ends in the middle as if complete', [{ match: log, action: { kind: 'cleanEnd', afterBytes: 200 } }]],
    ['is reset in the middle', [{ match: log, action: { kind: 'reset', afterBytes: 215 } }]],
    ['is 204 first', [{ match: log, action: { kind: 'answer', reply: { code: 204 } } }]],
    ['is 404 of kind pods/log first', [{ match: log, action: { kind: 'answer', reply: replies.logNotFound('p') } }]],
    [
      'is 400, waiting, first',
      [
        {
          match: log,
          action: {
            kind: 'answer',
            reply: replies.badRequest('container "base" in pod "p" is waiting to start: ContainerCreating'),
          },
        },
      ],
    ],
    [
      'has the kubelet’s error behind it in a 200 answer',
      [{ match: log, action: { kind: 'append', text: 'unable to retrieve container logs for containerd://1' } }],
    ],
    [
      'has all of these',
      [
        { match: log, action: { kind: 'cleanEnd', afterBytes: 50 } },
        { match: log, action: { kind: 'answer', reply: replies.kubeletDown('default', 'p', 'base') } },
        { match: log, action: { kind: 'reset', afterBytes: 120 } },
        { match: log, action: { kind: 'append', text: 'rpc error: code = Unknown', afterBytes: 300 } },
        { match: { ...log, query: { follow: 'false' } }, action: { kind: 'reset', afterBytes: 40 } },
        { match: { verb: 'watch' }, action: { kind: 'reset', afterBytes: 900 } },
      ],
    ],
  ])('%s', async (_, faults) => {
    await serve(slowly);
    const active = faults.map(fault => server.fault(fault));
    const result = await run(server);
    expect(result).toMatchObject({ conclusion: 'success', annotations: [] });
    expect(linesLike(result, /^line \d|unable|rpc|\d{9}Z/)).toEqual(lines);
    expect(active[0]?.hits).toBe(1);
  });

  test('cannot be had, the container’s own exit code decides', async () => {
    await serve(hello);
    server.fault({ match: log, times: 99, action: { kind: 'answer', reply: replies.badRequest('no such log') } });
    const result = await run(server);
    expect(result.outputs).toMatchObject({ state: 'succeeded', exit_code: '0' });
    expect(result.annotations).toMatchObject([{ level: 'warning', title: 'Log may be incomplete' }]);
  });
});

describe('the create', () => {
  test('whose answer is lost has made one pod, and the step goes on with it', async () => {
    await serve(hello);
    server.fault({ match: { verb: 'create' }, action: { kind: 'loseAnswer' } });
    const result = await run(server);
    expect(result.conclusion).toBe('success');
    expect(server.pods).toHaveLength(1);
    expect(server.matching({ verb: 'create' })).toHaveLength(1);
    expect(result.outputs['pod_uid']).toBe(server.pods[0]?.object.metadata.uid);
    expect(linesLike(result, /^hello$/)).toHaveLength(1);
    expect(result.post).toMatchObject(tidy);
  });

  test('that leaves out a field is undone', async () => {
    await serve();
    server.fault({
      match: { verb: 'create' },
      action: { kind: 'dropFields', fields: ['spec.containers.0.command'] },
    });
    const result = await run(server, { cmds: '[sh]' });
    expect(result.outputs).toMatchObject({ state: 'failed', reason: 'FieldDropped' });
    expect(result.annotations[0]?.message).toContain(
      'without cmds (spec.containers[0].command), so it was deleted again.',
    );
    expect(server.pods[0]?.removed).toBe(true);
  });

  test.each([
    ['Unauthorized', replies.unauthorized()],
    ['Forbidden', replies.forbidden('create', 'pods', 'default')],
    ['QuotaExceeded', replies.quota('p')],
    ['NamespaceNotFound', replies.namespaceNotFound('default')],
    ['InvalidPod', replies.strictDecoding('spec.x')],
    ['Unreachable', { code: 302, headers: { Location: 'https://sso.example' }, body: 'Found' }],
  ])('refused (%s) is told in one annotation, and post has nothing to do', async (reason, reply) => {
    await serve();
    server.fault({ match: { verb: 'create' }, times: 9, action: { kind: 'answer', reply } });
    const result = await run(server);
    expect(result).toMatchObject({ exitCode: 1, outputs: { state: 'failed', reason } });
    expect(result.annotations).toHaveLength(1);
    expect(result.post).toMatchObject(tidy);
    expect(server.pods).toEqual([]);
  });

  test('that is not allowed prints what would allow it, before the annotation', async () => {
    await serve();
    const reply = replies.forbidden('create', 'pods', 'default');
    server.fault({ match: { verb: 'create' }, times: 9, action: { kind: 'answer', reply } });
    const result = await run(server);
    expect(result.annotations.map(({ message }) => message)).toEqual([
      'system:serviceaccount:ci:runner may not create pods in namespace default. Have the Role that the log shows applied, or use credentials that may. A namespace that does not exist is refused in the same way.',
    ]);
    expect(result.text).toMatch(
      /: kubectl apply -f role\.yaml\napiVersion: (.*\n)+subjects:\n.*ServiceAccount\n(.*\n)*##\[error\]/,
    );
  });

  test('that may not be undone is told with the right that is missing', async () => {
    await serve(hello);
    const reply = replies.forbidden('delete', 'pods', 'default');
    server.fault({ match: { verb: 'delete' }, times: 9, action: { kind: 'answer', reply } });
    const result = await run(server);
    expect(result.outputs).toMatchObject({ state: 'succeeded' });
    expect(result.annotations).toMatchObject([
      {
        level: 'warning',
        title: 'Pod not deleted',
        message: expect.stringMatching(
          /may not delete pods in namespace default\. Grant it .*kubectl -n default delete pod /,
        ),
      },
    ]);
  });

  test('of a name that is taken touches nothing, neither does post', async () => {
    await serve();
    const foreign = server.addPod({ metadata: { name: 'p' }, spec: { containers: [{ name: 'x' }] } }).run();
    const result = await run(server, { name: 'p', random_name_suffix: 'false' });
    expect(result.outputs).toEqual({ state: 'failed', reason: 'NameTaken' });
    expect(result.post).toMatchObject(tidy);
    expect(foreign.removed).toBe(false);
    expect(deletes()).toEqual([]);
  });
});

describe('the container never ran, for', () => {
  test.each<[string, string, (pod: FakePod) => void]>([
    [
      'its node refused the pod',
      'Rejected',
      pod =>
        void pod.patch(({ status }) =>
          Object.assign(status, { phase: 'Failed', reason: 'OutOfcpu', message: 'Pod was rejected' }),
        ),
    ],
    [
      'the pod was evicted',
      'Evicted',
      pod => void pod.schedule().patch(({ status }) => Object.assign(status, { phase: 'Failed', reason: 'Evicted' })),
    ],
    ['the pod was deleted', 'PodDeleted', pod => void pod.schedule().remove()],
    ['its image does not exist', 'ImagePull', pod => void pod.schedule().waiting('ErrImagePull', 'x: not found')],
  ])('%s', async (_, reason, autoplay) => {
    await serve(autoplay);
    const result = await run(server);
    expect(result.outputs).toMatchObject({ state: 'failed', reason });
    expect(result.outputs).not.toHaveProperty('exit_code');
    expect(result.annotations.map(({ level }) => level)).toEqual(['error']);
    expect(result.post).toMatchObject(tidy);
    expect(server.pods[0]?.removed).toBe(true);
  });
});

describe('while it runs', () => {
  test('the pod is deleted by somebody else', async () => {
    await serve(async pod => {
      pod.run().write('hello');
      await server.request({ verb: 'log' });
      pod.delete();
    });
    const result = await run(server, { name: 'p', random_name_suffix: 'false' });
    expect(result.outputs).toMatchObject({ state: 'failed', reason: 'PodDeleted', exit_code: '143' });
    expect(result.annotations.at(-1)?.message).toContain('somebody or something else deleted the pod.');
    expect(linesLike(result, /^hello$/)).toHaveLength(1);
    expect(deletes()).toEqual([]);
    expect(result.post).toMatchObject(tidy);
  });

  test('the pod is replaced by another of its name, which is left alone', async () => {
    let other: FakePod | undefined;
    await serve(async pod => {
      if (other !== undefined) return;
      pod.run();
      await server.request({ verb: 'log' });
      await server.refuse();
      pod.remove();
      other = server.addPod({ metadata: { name: 'p' }, spec: { containers: [{ name: 'base' }] } }).run();
      await server.accept();
    });
    const result = await run(server, { name: 'p', random_name_suffix: 'false' });
    expect(result.outputs).toMatchObject({ state: 'failed', reason: 'PodDeleted' });
    expect(other?.object.metadata.deletionTimestamp).toBeUndefined();
  });

  test('the API server refuses connections at first contact, and comes back', async () => {
    await serve(hello);
    await server.refuse();
    step = start(server);
    await step.line('is away');
    await server.accept();
    const result = await step.done;
    expectClean(result);
    expect(result.conclusion).toBe('success');
    expect(linesLike(result, /API server/)).toEqual([
      expect.stringMatching(/^The API server at \S+ is away \(connection refused\); waiting for it for up to 60 s\.$/),
      expect.stringMatching(/^The API server at \S+ is back after \d s\.$/),
    ]);
  });

  test('the API server goes away in mid-run, and comes back', async () => {
    await serve();
    step = start(server);
    const pod = (await server.pod()).run().write('before');
    await step.line('before');
    await server.refuse();
    pod.write('meanwhile');
    await step.line('is away');
    pod.write('last').finish({ exitCode: 5 });
    await server.accept();
    const result = await step.done;
    expectClean(result);
    expect(result.outputs).toMatchObject({ state: 'failed', exit_code: '5' });
    expect(linesLike(result, /^(before|meanwhile|last)$/)).toEqual(['before', 'meanwhile', 'last']);
    expect(linesLike(result, /is (away|back)/)).toHaveLength(2);
  });
});

describe('hostile text', () => {
  const hostile = [
    'x',
    '::error::evil',
    '##[error]evil',
    'y ##[add-mask]evil',
    '::add-mask::evil',
    '  ::set-output name=evil::1',
    '::set-env name=EVIL::1',
    '::add-path::/evil',
    '::stop-commands::evil-token',
    '::save-state name=pod::{}',
    'a\r::warning::evil\r\n##[warning]evil',
    '\u001b]0;title\u0007\u001b[2J%0A::error::evil',
    '\u2028::error::evil',
  ].join('\n');

  test.each<[string, (pod: FakePod) => void | Promise<void>, { faults?: Fault[]; errors: number }]>([
    [
      'of the container',
      pod => {
        pod.run();
        for (const line of hostile.split('\n')) pod.write(line);
        pod.finish();
      },
      { errors: 0 },
    ],
    [
      'of the container, as its termination message',
      pod => void pod.run().finish({ exitCode: 1, message: hostile }),
      { errors: 1 },
    ],
    [
      'of the container, as its result',
      pod => void pod.run().finish({ message: JSON.stringify({ evil: hostile }) }),
      { errors: 0 },
    ],
    [
      'of the kubelet, why a command cannot be started',
      pod => void pod.run().finish({ exitCode: 128, reason: 'StartError', message: hostile }),
      { errors: 1 },
    ],
    [
      'of the kubelet, why an image cannot be pulled',
      pod => void pod.schedule().waiting('ErrImagePull', `not found ${hostile}`),
      { errors: 1 },
    ],
    [
      'of the kubelet, why an image cannot be pulled yet',
      pod => void pod.schedule().waiting('ErrImagePull', `time-out ${hostile}`).run().finish(),
      { errors: 0 },
    ],
    ['of the scheduler', pod => void pod.unschedulable(hostile).run().finish(), { errors: 0 }],
    [
      'of the kubelet, why it takes no pod',
      pod =>
        void pod.patch(({ status }) => Object.assign(status, { phase: 'Failed', reason: hostile, message: hostile })),
      { errors: 1 },
    ],
    [
      'of the kubelet, why it evicts the pod',
      pod =>
        void pod
          .run()
          .patch(({ status }) => Object.assign(status, { reason: 'Evicted', message: hostile }))
          .terminate({ exitCode: 137 }),
      { errors: 1 },
    ],
    ['a node’s name', pod => void pod.schedule(`node\n${hostile}`).run().finish({ exitCode: 1 }), { errors: 1 }],
    [
      'of an admission webhook',
      () => {},
      {
        errors: 1,
        faults: [
          {
            match: { verb: 'create' },
            action: {
              kind: 'answer',
              reply: replies.badRequest(`admission webhook "w" denied the request: ${hostile}`),
            },
          },
        ],
      },
    ],
    [
      'of a proxy',
      () => {},
      {
        errors: 1,
        faults: [
          {
            match: { verb: 'create' },
            action: {
              kind: 'answer',
              reply: { code: 200, body: hostile, headers: { 'Content-Type': '::error::evil' } },
            },
          },
        ],
      },
    ],
    [
      'of a proxy, on the log',
      pod => void pod.run().write('hello').finish(),
      {
        errors: 0,
        faults: [
          { match: { verb: 'log' }, action: { kind: 'append', text: hostile } },
          {
            match: { verb: 'log', query: { follow: 'false' } },
            action: { kind: 'answer', reply: { code: 500, body: hostile } },
          },
        ],
      },
    ],
  ])('%s, executes nothing', async (_, autoplay, { faults = [], errors }) => {
    await serve(autoplay);
    for (const fault of faults) server.fault(fault);
    const result = await run(server);
    expect(result.masks).toEqual(['fake-token']);
    expect(result.annotations.map(({ level }) => level)).toEqual(Array<string>(errors).fill('error'));
    expect(result).toMatchObject({ env: {}, paths: [] });
    expect(new RenderedMarkdown(result.summary).skeleton(['span', 'br', 'code'])).toMatch(
      /^h3( p(\(b\))?| pre| table\(tbody\((tr\(td td\) ?)+\)\)| details\(summary p\))*$/,
    );
    expect(result.outputs).not.toHaveProperty('evil');
    expect(result.post).toMatchObject(tidy);
    expect(result.text).not.toContain('\u001b');
  });

  test('in the annotations of a pod that has the name', async () => {
    await serve();
    server.addPod({
      metadata: { name: 'p', annotations: { 'kubernetes-pod-step/run-url': hostile } },
      spec: { containers: [{ name: 'x' }] },
    });
    const result = await run(server, { name: 'p', random_name_suffix: 'false' });
    expect(result.masks).toEqual(['fake-token']);
    expect(result.annotations).toHaveLength(1);
  });
});
