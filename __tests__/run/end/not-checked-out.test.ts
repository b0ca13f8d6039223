import { expect, test } from '@jest/globals';
import { outcomeOf } from '../../../src/run/end/outcome.ts';
import { containerStatus, ended, podWith } from '../pods.ts';

const failed = (exitCode: number, reason: string, message?: string) =>
  podWith(undefined, {
    phase: 'Failed',
    initContainerStatuses: [containerStatus(ended(exitCode, reason, message), 'pod-step-checkout')],
  });

test.each<[string, Parameters<typeof failed>, object]>([
  [
    'a server that refuses',
    [71, 'Error', 'The server does not give octo/repo: fatal: Authentication failed'],
    {
      reason: 'InitContainer',
      title: 'Repository not checked out',
      sentence:
        'The repository could not be checked out in pod etl/p (exit code 71): The server does not give octo/repo: fatal: Authentication failed.',
      remedy: expect.stringContaining('`permissions: contents: read`'),
    },
  ],
  ['no git-lfs', [75, 'Error', 'The image has no git-lfs.'], { remedy: expect.stringContaining('`checkout_lfs`') }],
  [
    'a full volume',
    [1, 'Error', 'fatal: write error: No space left on device'],
    { remedy: expect.stringContaining('`workspace_volume`') },
  ],
  [
    'no network',
    [1, 'Error', 'fatal: Could not resolve host: github.com'],
    { remedy: expect.stringContaining('network policies') },
  ],
  [
    'a log of many lines, where it has not said itself what it died of',
    [137, 'Error', 'Fetching octo/repo\nfatal: \u001b[31mred\n'],
    { sentence: 'The repository could not be checked out in pod etl/p (exit code 137): fatal: red.' },
  ],
  ['nothing said', [1, 'Error'], { sentence: 'The repository could not be checked out in pod etl/p (exit code 1).' }],
  [
    'no shell',
    [128, 'StartError', 'exec: "sh": not found'],
    { reason: 'StartError', remedy: expect.stringContaining('`git_image`') },
  ],
  ['its memory', [137, 'OOMKilled'], { reason: 'OOMKilled' }],
])('a checkout that failed for %s', (_, how, expected) => {
  expect(outcomeOf({ pod: failed(...how), gone: false }, 'base')).toMatchObject({ state: 'failed', ...expected });
});
