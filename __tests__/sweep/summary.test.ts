import { describe, expect, test } from '@jest/globals';
import { Markdown } from '../../src/github/markdown.ts';
import type { Account, Judged } from '../../src/sweep/account.ts';
import { sweepSummary } from '../../src/sweep/summary.ts';
import { HOSTILE_MARKDOWN } from '../support/hostile-markdown.ts';
import { RenderedMarkdown } from '../support/rendered-markdown.ts';

const now = new Date('2026-11-21T12:00:00Z');
const place = { server: 'https://github.com', repository: 'octo/repo', namespace: 'etl' };
const summary = (account: Account, at = place) => sweepSummary(account, at, now, new Markdown(text => text));

const judged = (name: string, kind: Judged['verdict']['kind'], done?: Judged['done']): Judged => ({
  pod: {
    ...{ name, uid: 'u', runId: '7', lifetime: 'owned', terminating: false, expires: undefined },
    created: new Date('2026-11-21T09:30:00Z'),
  },
  verdict: { kind, why: 'its run ended 3 h ago' },
  ...(done !== undefined && { done }),
});

test('the summary has a row for each pod, what was done first', () => {
  const pods = [
    judged('left', 'active'),
    judged('done', 'delete', 'deleted'),
    judged('failed', 'delete', { failure: 'a policy' }),
  ];
  expect(summary({ dryRun: false, secrets: ['s'], pods })).toBe(`\
<h3>🧹 Sweep of <code>etl</code></h3>

<p>1 pod and 1 Secret deleted, 1 could not be, 1 left (1 of a run that has not ended).</p>

<table>
<tr><th align="left">Pod</th><th align="left">Run</th><th align="left">Lifetime</th><th align="left">Age</th><th align="left">Verdict</th></tr>
<tr><td><code>failed</code></td><td><a href="https://github.com/octo/repo/actions/runs/7">7</a></td><td>owned</td><td>2 h 30 min</td><td><b>could not be deleted: a policy;</b> its run ended 3 h ago</td></tr>
<tr><td><code>done</code></td><td><a href="https://github.com/octo/repo/actions/runs/7">7</a></td><td>owned</td><td>2 h 30 min</td><td><b>deleted</b> its run ended 3 h ago</td></tr>
<tr><td><code>left</code></td><td><a href="https://github.com/octo/repo/actions/runs/7">7</a></td><td>owned</td><td>2 h 30 min</td><td><b>left</b> its run ended 3 h ago</td></tr>
</table>

<p>Secrets whose pod was gone: <code>s</code></p>`);
});

test('that of a dry run says so', () => {
  const text = summary({ dryRun: true, secrets: [], pods: [judged('p', 'delete')] });
  expect(text).toContain('<h3>📝 Dry run of a sweep of <code>etl</code></h3>');
  expect(text).toContain('<b>would be deleted</b>');
});

test('that of nothing has no table', () => {
  expect(summary({ dryRun: false, secrets: [], pods: [] })).toBe(
    '<h3>🧹 Sweep of <code>etl</code></h3>\n\n<p>No pod deleted, none left.</p>',
  );
});

test.each(['https://evil"><script>', 'javascript:alert(1)', '', 'https://github.com/x y'])(
  'a server of %j is no link',
  server => {
    expect(summary({ dryRun: false, secrets: [], pods: [judged('p', 'active')] }, { ...place, server })).not.toContain(
      '<a',
    );
  },
);

test('ten thousand pods with the longest names stay far below what GitHub shows', () => {
  const pods = Array.from({ length: 10_000 }, (_, index) =>
    judged(`${index}-${'p'.repeat(247)}`, 'delete', { failure: '&'.repeat(4000) }),
  );
  const secrets = pods.map(({ pod }) => pod.name);
  const text = summary({ dryRun: false, secrets, pods });
  expect(Buffer.byteLength(text)).toBeLessThan(256 * 1024);
  expect(/<tr><td colspan="5">and (\d+) more<\/td><\/tr>/.exec(text)?.[1]).toMatch(/^99\d\d$/);
});

describe('whatever a cluster says', () => {
  const rendered = (text: string) => {
    const pods = [
      judged(text, 'delete', { failure: text }),
      { ...judged(text, 'lookAlike'), pod: { name: text, lacks: 'it has no nonce' } },
    ];
    const account = { dryRun: false, secrets: [text], pods };
    return new RenderedMarkdown(summary(account, { ...place, namespace: text })).skeleton(['span', 'br']);
  };

  test.each(HOSTILE_MARKDOWN)('stays text: %j', hostile => {
    expect(rendered(hostile)).toBe(rendered('plain'));
  });
});
