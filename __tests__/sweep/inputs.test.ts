import { describe, expect, test } from '@jest/globals';
import { StepError } from '../../src/github/failure.ts';
import { readSweepInputs, secondsOf } from '../../src/sweep/inputs.ts';

const given = (inputs: Record<string, string> = {}): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries({ github_token: 't', ...inputs }).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]),
  );

function problemsOf(inputs: Record<string, string>): string {
  try {
    readSweepInputs(given(inputs));
  } catch (error) {
    if (error instanceof StepError && error.reason === 'InvalidInput') return error.message;
    throw error;
  }
  throw new Error('nothing was wrong');
}

test.each<[string, number | undefined]>([
  ['90s', 90],
  ['30m', 1800],
  ['1h', 3600],
  ['2d', 172_800],
  ['1h30m', 5400],
  ['1d12h30m5s', 131_405],
  ['3600', 3600],
  ['0', 0],
  ['0s', 0],
  ['24855d', 2_147_472_000],
  ['', undefined],
  ['h', undefined],
  ['1h30', undefined],
  ['1.5h', undefined],
  ['30m1h', undefined],
  ['1 h', undefined],
  ['1w', undefined],
  ['-1h', undefined],
  ['1H', undefined],
  ['PT1H', undefined],
  ['24856d', undefined],
  ['9'.repeat(400), undefined],
])('a time of %j is %j seconds', (text, seconds) => {
  expect(secondsOf(text)).toBe(seconds);
});

describe('the inputs of a sweep', () => {
  test('have defaults', () => {
    expect(readSweepInputs(given())).toEqual({
      cluster: {},
      olderThanSeconds: 3600,
      dryRun: false,
      outageTimeoutSeconds: 300,
      token: 't',
    });
  });

  test('are read', () => {
    const inputs = {
      config_file: '/kubeconfig',
      cluster_context: 'test',
      namespace: 'etl',
      older_than: '2d',
      dry_run: 'true',
      outage_timeout_seconds: '20',
      github_token: 'ghs_x',
    };
    expect(readSweepInputs(given(inputs))).toEqual({
      cluster: { configFile: '/kubeconfig', context: 'test', namespace: 'etl' },
      olderThanSeconds: 172_800,
      dryRun: true,
      outageTimeoutSeconds: 20,
      token: 'ghs_x',
    });
  });

  test('are named all at once where they are wrong, with the nearest spelling', () => {
    const wrong = { namespace: 'ETL', older_than: 'a while', dry_run: 'maybe', older_then: '1h', image: 'busybox' };
    expect(problemsOf({ ...wrong, github_token: '' }).split('\n')).toEqual([
      expect.stringMatching(/^- namespace: "ETL" cannot be a namespace/),
      '- older_than: expected a time, e.g. 90s, 30m, 1h, 2d, 1h30m or whole seconds, of at most 2147483647 s; found "a while".',
      '- dry_run: expected true or false, found "maybe".',
      '- github_token: it is empty. Leave the input out, and it is the job’s own token.',
      '- older_then: this action has no such input. Did you mean older_than?',
      '- image: this action has no such input.',
    ]);
  });

  test('know nothing of Airflow’s parameters', () => {
    expect(problemsOf({ task_id: 'x' })).toBe('task_id: this action has no such input.');
  });
});
