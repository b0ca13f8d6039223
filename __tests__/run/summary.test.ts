import { describe, expect, test } from '@jest/globals';
import type { V1ContainerStatus, V1Pod } from '@kubernetes/client-node';
import fc from 'fast-check';
import { Markdown } from '../../src/github/markdown.ts';
import type { Result } from '../../src/run/result/outputs.ts';
import {
  dryRunSummary,
  type Ending,
  type Facts,
  type PodFacts,
  summaryOf,
  type TriedFacts,
} from '../../src/run/summary.ts';
import type { Stage } from '../../src/run/timeline.ts';
import { hostileMarkdown } from '../support/hostile-markdown.ts';
import { RenderedMarkdown } from '../support/rendered-markdown.ts';
import { containerStatus, ended, podWith, running, unscheduled, waiting } from './pods.ts';

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;
const T0 = Date.UTC(2026, 2, 1, 12);
const plain = new Markdown(text => text);
const stages: Stage[] = [
  { kind: 'starting', fromMs: T0, toMs: T0 + 1000 },
  { kind: 'running', container: 'base', fromMs: T0 + 1000, toMs: T0 + 5000 },
];

function podFacts(pod: V1Pod, more: Partial<PodFacts> = {}): PodFacts {
  return { pod, base: 'base', stages, events: 'unavailable', files: [], ...more };
}

const ran = (exitCode: number, reason?: string): V1Pod =>
  podWith(
    undefined,
    {
      qosClass: 'Burstable',
      containerStatuses: [
        {
          ...containerStatus(ended(exitCode, reason)),
          imageID: `docker.io/library/busybox@${DIGEST}`,
          restartCount: 2,
        },
      ],
    },
    {
      spec: {
        nodeName: 'node-1',
        containers: [
          {
            name: 'base',
            image: 'busybox:1.37',
            resources: { requests: { cpu: '100m', memory: '32Mi' }, limits: { memory: '64Mi' } },
          },
        ],
      },
    },
  );
const succeeded: Ending = { state: 'succeeded' };
const outOfMemory: Ending = {
  state: 'failed',
  title: 'Out of memory',
  sentence: 'Container base was killed.',
  remedy: 'Raise `container_resources.limits.memory`.',
};

const resultOf = (text: string): Result => ({
  text,
  bytes: Buffer.from(text),
  outputs: [['result', text]],
  warnings: [],
});

const render = (facts: Partial<Facts>, md = plain) =>
  new RenderedMarkdown(summaryOf({ ending: succeeded, matrix: {}, ...facts }, md));

test('a success has its facts in one small table', () => {
  const rendered = render({ pod: podFacts(ran(0)) });
  expect(rendered.texts('h3')).toEqual(['✅ p succeeded after 4 s']);
  expect(rendered.rows).toEqual([
    ['Pod', 'p'],
    ['Namespace', 'etl'],
    ['Node', 'node-1'],
    ['Image', `busybox:1.37\n${DIGEST}`],
    ['QoS class', 'Burstable (requests cpu 100m, memory 32Mi; limits memory 64Mi)'],
    ['Exit code', '0'],
    ['Restarts', '2'],
    ['Ran', '4 s, from 2026-03-01 12:00:01 to 2026-03-01 12:00:05 UTC'],
  ]);
  expect(rendered.fences.map(({ language }) => language)).toEqual(['mermaid']);
  expect(rendered.skeleton()).toMatch(
    /^h3\(code\) table\(tbody\((tr\(td td(\([\w ]+\))?\) ?)+\)\) pre\(code class=language-mermaid\)$/,
  );
});

test('what went in and what came back has a row', () => {
  const rendered = render({ pod: podFacts(ran(0), { files: ['2 files, 5.7 MiB, uploaded in 0.1 s', '<b>'] }) });
  expect(rendered.rows).toContainEqual(['Files', '2 files, 5.7 MiB, uploaded in 0.1 s\n<b>']);
});

describe('a container that the step has put there', () => {
  const beside = (initContainerStatuses: V1ContainerStatus[]) =>
    podWith(
      undefined,
      { initContainerStatuses, containerStatuses: [containerStatus(ended(0))] },
      {
        spec: {
          initContainers: initContainerStatuses.map(({ name }) => ({ name })),
          containers: [{ name: 'base' }],
        },
      },
    );
  const shown = (...statuses: V1ContainerStatus[]) => {
    const { rows } = render({ pod: podFacts(beside(statuses)) });
    const from = rows.findIndex(([label]) => label === 'Container');
    return from === -1 ? [] : rows.slice(from + 1).map(([name]) => name);
  };

  test('and that has done its work is not shown', () => {
    expect(shown(containerStatus(ended(0), 'pod-step-upload'), containerStatus(running, 'pod-step-result'))).toEqual(
      [],
    );
  });

  test.each([
    ['failed', ended(1)],
    ['waits', waiting('ImagePullBackOff')],
  ])('and that %s is', (_, state) => {
    expect(shown(containerStatus(state, 'pod-step-result'))).toEqual(['pod-step-result', 'base']);
  });

  test('is none of others', () => {
    expect(shown(containerStatus(ended(0), 'prepare'))).toEqual(['prepare', 'base']);
  });
});

test('a failure has its sentence and the way out first', () => {
  const rendered = render({ ending: outOfMemory, pod: podFacts(ran(137, 'OOMKilled')) });
  expect(rendered.skeleton()).toMatch(/^h3\(code\) p p\(code\) table/);
  expect(rendered.texts('h3')).toEqual(['❌ p: Out of memory']);
  expect(rendered.texts('p')).toEqual(['Container base was killed.', 'Raise container_resources.limits.memory.']);
  expect(rendered.rows).toContainEqual(['Exit code', '137, OOMKilled']);
});

test.each<[string, Partial<Facts>, string, string]>([
  ['bad inputs', { ending: { ...outOfMemory, title: '2 invalid inputs' } }, '❌ 2 invalid inputs', 'h3 p p(code)'],
  ['a refused pod', { ending: outOfMemory, name: 'p-1' }, '❌ p-1: Out of memory', 'h3(code) p p(code)'],
  [
    'a cancelled step',
    { ending: { state: 'cancelled', sentence: 'x' }, name: 'p-1' },
    '🚫 p-1 was cancelled',
    'h3(code) p',
  ],
  [
    'a step cancelled before it had a plan',
    { ending: { state: 'cancelled', sentence: 'x' } },
    '🚫 The step was cancelled',
    'h3 p',
  ],
  ['a skipped step', { ending: { state: 'skipped', sentence: 'x' }, name: 'p-1' }, '⏭️ p-1 was skipped', 'h3(code) p'],
])('%s has a heading and a sentence', (_, facts, heading, skeleton) => {
  const rendered = render(facts);
  expect(rendered.texts('h3')).toEqual([heading]);
  expect(rendered.skeleton()).toBe(skeleton);
});

test('a pod without a node, and without times, has what is known', () => {
  const pod = { ...unscheduled('no cpu'), spec: { containers: [{ name: 'base', image: 'x' }] } };
  expect(render({ ending: outOfMemory, pod: podFacts(pod, { stages: [] }) }).rows).toEqual([
    ['Pod', 'p'],
    ['Namespace', 'etl'],
    ['Node', 'none'],
    ['Image', 'x'],
  ]);
});

test('a life too short for a chart is told in the table', () => {
  const short = stages.map(stage => ({ ...stage, toMs: Math.min(stage.toMs, T0 + 2000) }));
  const rendered = render({ pod: podFacts(ran(0), { stages: short }) });
  expect(rendered.fences).toEqual([]);
  expect(rendered.rows).toContainEqual(['Timeline', 'Starting 1 s, Running 1 s']);
});

describe('a result', () => {
  const shown = (result: Result) =>
    render({ ending: { state: 'succeeded', result }, pod: podFacts(ran(0), { stages: [] }) });
  const long = `[${'"value", '.repeat(400)}1]`;

  test('is shown as it is, with its size', () => {
    const text = '{"a": "``` <b>|\\u0000",\n\n "b": [1.10]}';
    const rendered = shown(resultOf(text));
    expect(rendered.fences).toEqual([{ language: 'json', text }]);
    expect(rendered.texts('p')).toEqual([`Result, ${Buffer.byteLength(text)} bytes`]);
  });

  test('that is long is cut, with its whole size', () => {
    const rendered = shown(resultOf(long));
    expect(rendered.fences[0]?.text).toMatch(/^\["value".*"value", …$/);
    expect(Buffer.byteLength(rendered.fences[0]?.text ?? '')).toBeLessThanOrEqual(2051);
  });

  test.each<[what: string, result: Result, told: string]>([
    ['in its output', resultOf(long), 'Result, 3,603 bytes; the whole is the output result'],
    [
      'in its output and its file',
      { ...resultOf('[1]'), file: 'build/r.json' },
      'Result, 3 bytes; the whole is the output result, and the file build/r.json',
    ],
    [
      'in its file alone',
      { ...resultOf(long), outputs: [], file: 'r.json' },
      'Result, 3,603 bytes; the whole is the file r.json',
    ],
    ['nowhere, as its file could not be written', { ...resultOf(long), outputs: [] }, 'Result, 3,603 bytes'],
  ])('is whole %s', (_, result, told) => expect(shown(result).texts('p')).toEqual([told]));

  test('that is none, of a failed container, is its termination message', () => {
    const ending: Ending = { ...outOfMemory, message: '\u001b[31mno\u001b[0m\n```\nspace' };
    const rendered = render({ ending, pod: podFacts(ran(1), { stages: [] }) });
    expect(rendered.fences).toEqual([{ language: '', text: 'no\n```\nspace' }]);
  });
});

test('of several containers it says how each stands', () => {
  const names = Array.from({ length: 25 }, (_, index) => `c${index}`);
  const pod = podWith(
    undefined,
    {
      initContainerStatuses: [containerStatus(ended(0), 'prep')],
      containerStatuses: [containerStatus(ended(137, 'OOMKilled'))],
    },
    { spec: { initContainers: [{ name: 'prep' }], containers: ['base', ...names].map(name => ({ name })) } },
  );
  const rows = render({ ending: outOfMemory, pod: podFacts(pod) }).rows;
  const from = rows.findIndex(([label]) => label === 'Container');
  expect(rows.slice(from, from + 4)).toEqual([
    ['Container', 'State'],
    ['prep', 'ended with exit code 0 after 4 s'],
    ['base', 'ended with exit code 137, OOMKilled after 4 s'],
    ['c0', 'not created'],
  ]);
  expect(rows.slice(from)).toHaveLength(22);
  expect(rows.at(-1)).toEqual(['and 7 more', '']);
});

test('a pod that is kept comes with the commands to see to it', () => {
  const kept = { log: 'kubectl -n etl logs p -c base', delete: 'kubectl -n etl delete pod p' };
  expect(render({ pod: podFacts(ran(1), { stages: [], kept }) }).fences).toEqual([
    { language: 'sh', text: `${kept.log}\n${kept.delete}` },
  ]);
});

describe('the cluster’s warnings', () => {
  const events = [{ type: 'Warning', reason: 'FailedMount', message: 'no | volume', firstMs: 1, lastMs: 1 }];

  test('are folded in after a failure', () => {
    const rendered = render({ ending: outOfMemory, pod: podFacts(ran(1), { events }) });
    expect(rendered.texts('details')).toEqual([expect.stringContaining('FailedMount: no | volume')]);
  });

  test('are not told of a success', () =>
    expect(render({ pod: podFacts(ran(0), { events }) }).text).not.toContain('FailedMount'));
});

describe('a job of a matrix', () => {
  const matrix = { os: 'linux', python: 3.12, extra: ['a', { b: null }] };

  test('has one line, and the rest folded away', () => {
    const rendered = render({ matrix, pod: podFacts(ran(0)) });
    expect(rendered.texts('summary')).toEqual([
      '✅ os: linux, python: 3.12, extra: ["a",{"b":null}] · p · node-1 · 4 s · exit code 0',
    ]);
    expect(rendered.skeleton()).toMatch(
      /^details\(summary\(b code code\) table\(.*\) pre\(code class=language-mermaid\)\)$/,
    );
  });

  test('shows its failure beside that', () => {
    const rendered = render({ matrix, ending: outOfMemory, pod: podFacts(ran(137)) });
    expect(rendered.skeleton()).toMatch(/^details\(summary.*\) p p\(code\)$/);
    expect(rendered.texts('summary')[0]).toMatch(/^❌ os: linux.* · exit code 137 · Out of memory$/);
  });

  test('that had no pod is a line without anything folded', () =>
    expect(render({ matrix, ending: outOfMemory }).skeleton()).toBe('p(b) p p(code)'));
});

test('a dry run shows the manifest, folded, and who has checked it', () => {
  const manifest = 'a: |\n  ```\n  </details>\n\nb: 1\n';
  const rendered = new RenderedMarkdown(dryRunSummary('p-1', manifest, 'Nothing was created.', plain));
  expect(rendered.skeleton()).toBe('h3(code) p details(summary pre(code class=language-yaml))');
  expect(rendered.fences).toEqual([{ language: 'yaml', text: manifest.trimEnd() }]);
});

/** What GitHub looks for in rendered text. */
const ACTIVE = /(^|\W)@\w|:[\w+-]+:|#\d|\bgh-\d|\$.*\$/i;
/** No emoji is called `00`. */
const TIMES = /^\d+ s, from \d{4}-\d\d-\d\d \d\d:\d\d:\d\d to \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/;

describe('whatever the cluster, the container and the matrix say', () => {
  const FIELDS = [
    ...(['name', 'namespace', 'node', 'image', 'resource', 'reason', 'message'] as const),
    ...(['qos', 'title', 'sentence', 'result', 'file', 'words', 'matrix', 'command'] as const),
  ];
  type Texts = Record<(typeof FIELDS)[number], string>;
  const everywhere = (text: string) => Object.fromEntries(FIELDS.map(field => [field, text])) as Texts;
  // What is empty is left out, so it has elements of its own.
  const texts: fc.Arbitrary<Texts> = fc
    .array(hostileMarkdown, { minLength: FIELDS.length, maxLength: FIELDS.length })
    .map(
      all =>
        Object.fromEntries(
          FIELDS.map((field, index) => [field, plain.plain(all[index] ?? '') === '' ? 'x' : all[index]]),
        ) as Texts,
    );

  function facts(t: Texts, compact: boolean): Facts {
    const own = ended(1, t.reason, t.message);
    const waits = waiting(t.reason, t.message);
    const pod = podWith(
      undefined,
      {
        qosClass: t.qos,
        initContainerStatuses: [containerStatus(waits, t.name)],
        containerStatuses: [{ ...containerStatus(own), imageID: `${t.image}@${DIGEST}` }],
      },
      {
        metadata: { name: t.name, namespace: t.namespace },
        spec: {
          nodeName: t.node,
          initContainers: [{ name: t.name }],
          containers: [{ name: 'base', image: t.image, resources: { requests: { [t.resource]: t.resource } } }],
        },
      },
    );
    const events = [{ type: 'Warning', reason: t.reason, message: t.message, firstMs: 1, lastMs: 1 }];
    return {
      ending: {
        state: 'failed',
        title: t.title,
        sentence: t.sentence,
        remedy: t.sentence,
        result: { ...resultOf(t.result), file: t.file },
        message: t.words,
      },
      pod: podFacts(pod, {
        events,
        stages: [{ kind: 'initialising', container: t.name, fromMs: T0, toMs: T0 + 9000 }, ...stages],
        kept: { log: t.command, delete: t.command },
      }),
      matrix: compact ? { [t.matrix]: t.matrix } : {},
    };
  }

  const harmless = (compact: boolean) => render(facts(everywhere('x'), compact)).skeleton(['span', 'br', 'code']);

  test('the summary has the same elements as of a harmless pod, and nothing that GitHub acts on', () => {
    fc.assert(
      fc.property(texts, fc.boolean(), (hostile, compact) => {
        const rendered = render(facts(hostile, compact));
        expect(rendered.skeleton(['span', 'br', 'code'])).toBe(harmless(compact));
        expect(rendered.searched.filter(piece => ACTIVE.test(piece) && !TIMES.test(piece))).toEqual([]);
        expect(rendered.fences.map(({ language }) => language)).toEqual(['mermaid', 'json', '', 'sh']);
      }),
      { numRuns: 300 },
    );
  });

  test('the summary stays far below what GitHub takes, and what we do', () => {
    const long = ':a@b#1$'.repeat(20_000);
    const all = everywhere(`${long} ${long}`.replaceAll('$', '$ '));
    const bytes = Buffer.byteLength(summaryOf(facts(all, true), plain));
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThan(256 * 1024);
  });

  test('a secret in any of it is hidden', () => {
    const secret = 's3cret-value';
    const all = everywhere(`a ${secret} b`);
    const md = new Markdown(text => text.replaceAll(secret, '***'));
    for (const compact of [false, true]) expect(summaryOf(facts(all, compact), md)).not.toContain('s3cret');
  });
});

describe('a pod that this step has not made', () => {
  const RUN = 'https://github.com/octo/repo/actions/runs/7/attempts/1';
  const made = (url: string) => ({
    ...ran(0),
    metadata: { name: 'p', namespace: 'etl', annotations: { 'kubernetes-pod-step/run-url': url } },
  });

  test.each<[NonNullable<PodFacts['origin']>, string]>([
    [{ kind: 'earlier attempt', attempt: 1 }, 'attempt 1 of this run'],
    [{ kind: 'attached' }, 'another step'],
  ])('has a link to who has: %j', (origin, words) => {
    const rendered = render({ pod: podFacts(made(RUN), { origin }) });
    expect(rendered.rows).toContainEqual(['Made by', words]);
    expect(rendered.links).toEqual([RUN]);
  });

  test.each(['https://evil.example/"><script>', 'javascript:alert(1)', ''])('has none to %j', url => {
    const rendered = render({ pod: podFacts(made(url), { origin: { kind: 'attached' } }) });
    expect(rendered.rows.map(([label]) => label)).not.toContain('Made by');
    expect([rendered.links, rendered.skeleton()]).toEqual([[], expect.not.stringContaining('script')]);
  });
});

test('a pod that is left to run says so, with the commands', () => {
  const kept = { log: 'kubectl logs', delete: 'kubectl delete' };
  const rendered = render({ ending: { state: 'deferred' }, pod: podFacts(ran(0), { kept }) });
  expect(rendered.texts('h3')).toEqual(['⏳ p is left for another step']);
  expect(rendered.texts('p')).toContain('The pod is left for another step.');
});

test('of several tries each is told, whatever its texts hold', () => {
  const hostile = '</td><script>alert(1)</script> | `x` @octocat';
  const first: TriedFacts = { ending: { ...outOfMemory, title: hostile, sentence: hostile }, name: hostile };
  const last: TriedFacts = { ending: { state: 'succeeded' }, pod: podFacts(ran(0)) };
  const rendered = render({ ...last, tries: [first, last] });
  expect(rendered.rows.slice(-2)).toEqual([
    ['1', hostile, expect.stringContaining('❌ </td><script>alert(1)</script>')],
    ['2', 'p', '✅ succeeded'],
  ]);
  expect(rendered.skeleton()).not.toContain('script');
});
