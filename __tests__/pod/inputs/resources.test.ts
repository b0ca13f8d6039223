import { describe, expect, test } from '@jest/globals';
import { baseOf, planned, refusal } from '../planned.ts';

const EXAMPLE = '{requests: {cpu: 500m, memory: 512Mi}, limits: {memory: 1Gi}}';
const QUANTITY = 'expected a quantity, e.g. 500m, 0.5, 512Mi or 1Gi; found';

test.each([
  ...['1', '0.5', '.5', '5.', '500m', '100n', '10u', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1.5Gi', '1e3', '1E-3'],
  ...['+1', '1Pi', '1Ei', '9007199254740993', '1e400', '12'],
])('the quantity %s is passed on as it is written', quantity => {
  for (const text of [quantity, `"${quantity}"`]) {
    const { resources } = baseOf({ container_resources: `{limits: {cpu: ${text}}}` });
    expect(resources?.limits).toEqual({ cpu: quantity });
  }
});

describe('resources are refused', () => {
  test.each([
    ['text', '512Mi', `: expected a mapping, e.g. ${EXAMPLE}; found text.`],
    ['a misspelt side', '{request: {cpu: 1}}', '.request: there is no such field. Did you mean requests?'],
    ['a number for a side', '{requests: 1}', '.requests: expected a mapping such as {key: value}, found the number 1.'],
    ['a quantity in MB', '{limits: {memory: 512MB}}', `.limits.memory: ${QUANTITY} "512MB".`],
    ['a quantity with a space', '{limits: {memory: 512 Mi}}', `.limits.memory: ${QUANTITY} "512 Mi".`],
    ['a boolean for a quantity', '{limits: {cpu: true}}', `.limits.cpu: ${QUANTITY} "true".`],
    ['a list for a quantity', '{limits: {cpu: [1]}}', '.limits.cpu: expected text, found a list.'],
    ['a negative quantity', '{limits: {cpu: -1}}', '.limits.cpu: -1 is negative.'],
    [
      'a request above its limit',
      '{requests: {memory: 2Gi}, limits: {memory: 1Gi}}',
      '.requests.memory: 2Gi is more than the limit of 1Gi.',
    ],
    [
      'a quantity of an extended resource',
      '{limits: {nvidia.com/gpu: one}}',
      `.limits[nvidia.com/gpu]: ${QUANTITY} "one".`,
    ],
    [
      'the flat form beside the newer one',
      '{request_cpu: 1, limits: {cpu: 1}}',
      `.limits: stands beside the flat form (request_cpu). Write ${EXAMPLE}.`,
    ],
    [
      'a misspelt field of the flat form',
      '{request_cpu: 1, limit_mem: 1Gi}',
      `.limit_mem: is no field of the flat form (request_cpu). Write ${EXAMPLE}.`,
    ],
    [
      'a mapping for a quantity of the flat form',
      '{request_cpu: {a: b}}',
      '.request_cpu: expected a quantity, e.g. 500m or 1Gi; found a mapping.',
    ],
  ])('%s', (_, text, sentence) =>
    expect(refusal({ container_resources: text }).text).toBe(`container_resources${sentence}`),
  );

  test.each(['1 Gi', '1GiB', '1ki', '1mi', '--1', '1..5', '.', 'e3', '0x10', 'one', '1,5'])(
    'the quantity %j',
    value => {
      expect(refusal({ container_resources: `{limits: {memory: "${value}"}}` }).text).toMatch(
        /^container_resources\.limits\.memory: expected a quantity/,
      );
    },
  );

  test.each(['{claims: gpu}', '{claims: {name: gpu}}', '{claims: [gpu]}'])('the claims %s', text => {
    expect(refusal({ container_resources: text }).text).toMatch(/^container_resources\.claims/);
  });
});

describe('the older name', () => {
  const notice = 'resources is deprecated: it is called container_resources.';

  test('is taken, with a notice', () => {
    const { plan, notices } = planned({ resources: '{limit_memory: 1Gi}' });
    expect(plan.pod.spec?.containers[0]?.resources).toEqual({ limits: { memory: '1Gi' } });
    expect(notices).toEqual([notice]);
    expect(plan.originOf('spec.containers[0].resources')).toBe('resources');
  });

  test('is refused beside the newer one', () => {
    expect(refusal({ resources: '{limit_memory: 1Gi}', container_resources: '{}' }).text).toBe(
      'resources: container_resources is given too. Keep that one alone.',
    );
  });

  test('is nothing where it is null', () => {
    expect(planned({ resources: 'null' }).notices).toEqual([]);
    expect(baseOf({ resources: 'null', container_resources: '{limits: {cpu: 1}}' }).resources).toEqual({
      limits: { cpu: '1' },
    });
  });

  test.each([
    [{ resources: '{limits: {cpu: 2}}' }, 'container_resources: {limits: {cpu: 1, memory: 1Gi}}'],
    [{ container_resources: '{limits: {cpu: 2}}' }, 'resources: {limit_cpu: 1, limit_memory: 1Gi}'],
  ])('%j wins over the defaults under the other name', (given, defaults) => {
    expect(baseOf(given, { defaults }).resources).toEqual({ limits: { cpu: '2' } });
  });
});
