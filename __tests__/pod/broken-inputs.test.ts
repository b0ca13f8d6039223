import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { INPUTS } from '../../src/github/contract.ts';
import { readIdentity } from '../../src/github/identity.ts';
import { readInputs } from '../../src/github/inputs/inputs.ts';
import { InputReader } from '../../src/github/inputs/reader.ts';
import { readPodInputs } from '../../src/pod/inputs/pod-inputs.ts';
import { planPod } from '../../src/pod/manifest.ts';
import { environment } from '../github/inputs/given.ts';
import { HOSTILE_TEXTS } from '../support/hostile-texts.ts';
import { anyPod } from '../support/schema-pods.ts';
import { brokenInputs } from './broken-inputs.ts';

/** All that is said of a step, before anything is sent anywhere. */
function problemsOf(given: Record<string, string>): string[] {
  const reader = new InputReader(environment(given));
  const inputs = readInputs(reader);
  const pod = readPodInputs(reader);
  planPod({ inputs, pod }, { identity: readIdentity({}), nonce: 'n0nce', now: new Date(0) }, sentence =>
    reader.problems.push(sentence),
  );
  reader.unknownInputs();
  return reader.problems;
}

describe('is refused, and told why', () => {
  test.each(brokenInputs)('%s', (_, inputs, ...problems) => expect(problemsOf(inputs)).toEqual(problems));
});

test('each sentence names the input first, says something, and ends', () => {
  for (const [, , ...problems] of brokenInputs)
    for (const problem of problems) expect(problem).toMatch(/^[a-z_-]+[^:]*: .{10,}[.?)]$/s);
});

describe('whatever is written', () => {
  const names = INPUTS.filter(name => name !== 'kubeconfig');

  test('is read, planned and judged without an accident', () => {
    const text = fc.oneof(
      fc.jsonValue().map(value => JSON.stringify(value)),
      anyPod.map(pod => JSON.stringify(pod)),
      fc.constantFrom(...HOSTILE_TEXTS, 'A=1', 'A: 1', 'true', 'null', '[]', '{}', '""'),
      fc.string(),
    );
    const inputs = fc.dictionary(fc.constantFrom(...names), text, { maxKeys: 8, noNullPrototype: true });
    fc.assert(
      fc.property(inputs, given => {
        for (const problem of problemsOf(given)) expect(problem).toMatch(/^\S+.*: ./s);
      }),
      { numRuns: 300 },
    );
  });

  test('in part of a pod is no accident where another type is meant', () => {
    const pods = fc.constantFrom('pod_template_dict', 'full_pod_spec', 'pod_patch');
    const path = fc.constantFrom(
      ...['spec', 'metadata', 'spec.containers', 'spec.volumes', 'metadata.labels', 'spec.imagePullSecrets'],
      ...[
        'spec.containers.0',
        'spec.containers.0.env',
        'spec.containers.0.env.0.name',
        'spec.containers.0.volumeMounts',
      ],
      ...['spec.containers.0.name', 'spec.containers.0.image', 'spec.containers.0.resources.limits', 'spec.os'],
      ...[
        'spec.containers.0.terminationMessagePath',
        'spec.activeDeadlineSeconds',
        'spec.restartPolicy',
        'metadata.name',
      ],
    );
    const put = (path: string, value: unknown): unknown =>
      path.split('.').reduceRight<unknown>((inner, step) => (step === '0' ? [inner] : { [step]: inner }), value);
    fc.assert(
      fc.property(pods, path, fc.jsonValue(), (input, where, value) => {
        problemsOf({ [input]: JSON.stringify(put(where, value)) });
      }),
      { numRuns: 300 },
    );
  });
});
