import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readIdentity, readMatrix } from '../../src/github/identity.ts';

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
    matrix: '',
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
    matrix: '',
    sha: '',
    runUrl: '',
    hosted: false,
  });
});

describe('the entry of the matrix', () => {
  const matrix = (json: string) => readIdentity({ ...env, INPUT_MATRIX: json }).matrix;

  test.each([
    ['of one word', '{"os": "linux"}', 'os=linux'],
    ['of many, by their names', '{"python": 3.12, "os": "ubuntu-latest"}', 'os=ubuntu-latest,python=3.12'],
    ['of a number and of the same as text', '{"a": 1, "b": "1"}', 'a=1,b="1"'],
    ['of a truth and of the same as text', '{"a": true, "b": "true"}', 'a=true,b="true"'],
    ['of nothing, and of no text', '{"a": null, "b": "", "c": "null"}', 'a=null,b="",c="null"'],
    ['of what looks like another entry', '{"a": "1,b=2"}', 'a="1,b=2"'],
    ['of a name that looks like another entry', '{"a=b": "c"}', '"a=b"=c'],
    ['of what is nested', '{"a": {"b": ["c", 1]}}', 'a={"b":["c",1]}'],
    ['of words with spaces and slashes', '{"image": "my org/app v1.2"}', 'image=my org/app v1.2'],
    ['of hostile text', '{"a": "\\n::error::x\\u0000"}', 'a="\\n::error::x\\u0000"'],
    ['of a name that every object has', '{"__proto__": "x", "constructor": "y"}', '__proto__=x,constructor=y'],
    ['that is written over many lines, as GitHub does', '{\n  "os": "linux"\n}', 'os=linux'],
    ['outside a matrix', 'null', ''],
    ['outside a workflow', '', ''],
    ['that is no JSON', '{', ''],
    ['that is no mapping', '[1]', ''],
  ])('%s', (_, json, expected) => expect(matrix(json)).toBe(expected));

  test('is its values for a template', () => {
    const json = '{"os": "linux", "more": {"a": [1]}}';
    expect(readMatrix({ INPUT_MATRIX: json })).toEqual(JSON.parse(json));
  });

  test('is another one for another entry', () => {
    const value = fc.oneof(
      fc.constantFrom('1', 'true', 'null', 'a', 'a,b=c', '', '"a"', 'a b', 'é'),
      fc.constantFrom(1, true, null, -1.5),
      fc.jsonValue({ maxDepth: 2 }),
    );
    const entry = fc.dictionary(fc.constantFrom('a', 'b', 'a=b', 'b,a', '"'), value, {
      maxKeys: 3,
      noNullPrototype: true,
    });
    fc.assert(
      fc.property(entry, entry, (one, other) => {
        const sorted = (matrix: object) => JSON.stringify(Object.entries(matrix).sort(([a], [b]) => (a < b ? -1 : 1)));
        fc.pre(sorted(one) !== sorted(other));
        expect(matrix(JSON.stringify(one))).not.toBe(matrix(JSON.stringify(other)));
      }),
      { numRuns: 2000 },
    );
  });
});
