import { expect, test } from '@jest/globals';
import { jobVariables, OF_THE_ATTEMPT } from '../../src/github/context.ts';

test('what says what the job is of is passed on; no token, no path of the runner’s, and nothing else', () => {
  const job = { CI: 'true', GITHUB_ACTIONS: 'true', GITHUB_REF: 'refs/heads/main', RUNNER_OS: 'Linux' };
  const others = {
    ...{ GITHUB_TOKEN: 'ghs_x', GITHUB_PAT: 'ghp_x', ACTIONS_RUNTIME_TOKEN: 'x', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'x' },
    ...{ GITHUB_OUTPUT: '/o', GITHUB_ENV: '/e', GITHUB_WORKSPACE: '/w', GITHUB_EVENT_PATH: '/p', RUNNER_TEMP: '/t' },
    ...{ PATH: '/bin', HOME: '/root', INPUT_RUN: 'x', SECRET: 'x' },
  };
  expect(jobVariables({ ...job, ...others })).toEqual(job);
});

test('what another attempt has another of is among what is passed on', () => {
  const env = Object.fromEntries(OF_THE_ATTEMPT.map(name => [name, 'x']));
  expect(jobVariables(env)).toEqual(env);
});
