import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ganttOf, timelineOf } from '../../src/run/gantt.ts';
import type { Stage } from '../../src/run/timeline.ts';
import { hostileMarkdown } from '../support/hostile-markdown.ts';

const T0 = Date.UTC(2026, 2, 1, 12);
const stage = (kind: Stage['kind'], from: number, to: number, more: Partial<Stage> = {}): Stage => ({
  kind,
  fromMs: T0 + 1000 * from,
  toMs: T0 + 1000 * to,
  ...more,
});
const whole = [
  stage('queued', 0, 10),
  stage('scheduling', 10, 12),
  stage('starting', 12, 13),
  stage('pulling', 13, 20, { container: 'base' }),
  stage('initialising', 20, 30, { container: 'fetch' }),
  stage('running', 30, 60, { container: 'base' }),
];

test('a bar for each stage, by the cluster’s times', () =>
  expect(ganttOf(whole, false)?.split('\n')).toEqual([
    'gantt',
    '    dateFormat YYYY-MM-DDTHH:mm:ss',
    '    axisFormat %H:%M:%S',
    '    tickInterval 10second',
    '    todayMarker off',
    '    Queued 10 s :done, 2026-03-01T12:00:00, 2026-03-01T12:00:10',
    '    Scheduling 2 s :done, 2026-03-01T12:00:10, 2026-03-01T12:00:12',
    '    Starting 1 s :done, 2026-03-01T12:00:12, 2026-03-01T12:00:13',
    '    Pulling image of base 7 s :2026-03-01T12:00:13, 2026-03-01T12:00:20',
    '    Init container fetch 10 s :2026-03-01T12:00:20, 2026-03-01T12:00:30',
    '    Running 30 s :active, 2026-03-01T12:00:30, 2026-03-01T12:01:00',
  ]));

test('a run that failed is red', () => expect(ganttOf(whole, true)).toContain('Running 30 s :crit, '));

test.each<[string, Stage[], string]>([
  ['that took no time', [], ''],
  ['of one stage', [stage('running', 0, 100)], ''],
  ['of a few seconds', [stage('starting', 0, 1), stage('running', 1, 4)], 'Starting 1 s, Running 3 s'],
])('no chart of a life %s', (_, stages, line) => {
  expect(ganttOf(stages, false)).toBeUndefined();
  expect(timelineOf(stages)).toBe(line);
});

test('what had not ended says so', () =>
  expect(timelineOf([stage('scheduling', 0, 1), stage('starting', 1, 300, { open: true })])).toBe(
    'Scheduling 1 s, Starting 5 min so far',
  ));

test('of very many stages the longest are shown, in their order', () => {
  const stages = Array.from({ length: 100 }, (_, index) =>
    stage('initialising', index * 10, index * 10 + (index % 5 === 0 ? 9 : 1), { container: `c${index}` }),
  );
  expect(timelineOf(stages).match(/c\d+/g)).toEqual(Array.from({ length: 20 }, (_, index) => `c${index * 5}`));
});

test.each([
  [5, '%H:%M:%S', '1second'],
  [60, '%H:%M:%S', '10second'],
  [600, '%H:%M', '2minute'],
  [3600, '%H:%M', '10minute'],
  [6 * 3600, '%d %H:%M', '1hour'],
  [5 * 86_400, '%m-%d', '1day'],
  [60 * 86_400, '%m-%d', '7day'],
])('over %i s there are a handful of ticks', (seconds, format, interval) => {
  const lines = ganttOf([stage('starting', 0, 1), stage('running', 1, seconds)], false)?.split('\n') ?? [];
  expect(lines.slice(2, 4)).toEqual([`    axisFormat ${format}`, `    tickInterval ${interval}`]);
});

test('whatever a container is called, no line says anything but what was meant', () => {
  const name = fc.oneof(
    hostileMarkdown,
    fc.constantFrom(
      'a:b',
      'x, y',
      'a;b',
      '%%{init: {"theme":"x"}}%%',
      'click a href "x"',
      'a\nsection b',
      '#quot;',
      '%% c',
    ),
  );
  const kinds = fc.constantFrom<Stage['kind']>(
    'queued',
    'scheduling',
    'starting',
    'pulling',
    'initialising',
    'running',
  );
  const label =
    /(Queued|Scheduling|Starting|Pulling image of|Init container|Running)( [A-Za-z0-9_.-]{1,40})? \d+ (s|min)( so far)?/;
  const time = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/;
  const bar = new RegExp(`^    ${label.source} :(done, |active, |crit, )?${time.source}, ${time.source}$`);
  fc.assert(
    fc.property(fc.array(fc.tuple(kinds, name), { minLength: 2, maxLength: 8 }), containers => {
      const stages = containers.map(([kind, container], index) => stage(kind, index * 5, index * 5 + 5, { container }));
      const [first, ...lines] = ganttOf(stages, false)?.split('\n') ?? [];
      expect(first).toBe('gantt');
      expect(lines.slice(0, 4).map(line => line.trim().split(' ')[0])).toEqual([
        'dateFormat',
        'axisFormat',
        'tickInterval',
        'todayMarker',
      ]);
      expect(lines.slice(4).filter(line => !bar.test(line))).toEqual([]);
      expect(lines).toHaveLength(4 + stages.length);
    }),
  );
});
