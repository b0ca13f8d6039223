import { expect, test } from '@jest/globals';
import { readIdentity } from '../../src/github/identity.ts';

const env = {
  GITHUB_REPOSITORY: 'octo/cat',
  GITHUB_REPOSITORY_ID: '42',
  GITHUB_WORKFLOW: 'Nightly build',
  GITHUB_RUN_ID: '1234',
  GITHUB_RUN_ATTEMPT: '2',
  GITHUB_JOB: 'train',
  GITHUB_ACTION: '__run_2',
  GITHUB_SHA: 'abc',
  GITHUB_SERVER_URL: 'https://ghe.example.com',
  RUNNER_ENVIRONMENT: 'github-hosted',
};

test('a step knows its run, attempt and job from the runner', () => {
  expect(readIdentity(env)).toEqual({
    repository: 'octo/cat',
    repositoryId: '42',
    workflow: 'Nightly build',
    runId: '1234',
    runAttempt: '2',
    job: 'train',
    step: '__run_2',
    sha: 'abc',
    runUrl: 'https://ghe.example.com/octo/cat/actions/runs/1234/attempts/2',
    hosted: true,
  });
});

test.each([
  ['self-hosted', false],
  ['github-hosted', true],
  ['', false],
  [undefined, false],
])('a runner that calls itself %s', (environment, hosted) => {
  expect(readIdentity({ ...env, RUNNER_ENVIRONMENT: environment }).hosted).toBe(hosted);
});

test('outside a workflow nothing is known, and there is no page of the run', () => {
  expect(readIdentity({})).toEqual({
    repository: '',
    repositoryId: '',
    workflow: '',
    runId: '',
    runAttempt: '1',
    job: '',
    step: '',
    sha: '',
    runUrl: '',
    hosted: false,
  });
});
