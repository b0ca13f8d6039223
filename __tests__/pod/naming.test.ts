import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { dnsLabel, hash, labelValue, podName } from '../../src/pod/naming.ts';

/** The API server's own rules: IsDNS1123Label and IsValidLabelValue of apimachinery's validation. */
const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;

const long = 'a'.repeat(300);
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 100 }),
  fc.string({ unit: fc.constantFrom('a', 'Z', '0', '-', '_', '.', ' ', 'é', '🎉'), maxLength: 100 }),
);

describe('a name', () => {
  test.each([
    ['that fits stays', 'train-1', 'train-1'],
    ['in capitals and underscores', 'My_Job', 'my-job'],
    ['of many strange characters in a row', 'a _/. b', 'a-b'],
    ['of a matrix', 'build (20, ubuntu-latest)', 'build-20-ubuntu-latest'],
    ['with dots and dashes at both ends', '.hi.-_09HI', 'hi-09hi'],
    ['beyond ASCII', 'Größe', 'gr-e'],
    ['with two dashes in a row stays', 'a--a', 'a--a'],
    ['of one character', 'X', 'x'],
    ['of digits', '007', '007'],
    ['of 63 characters stays', 'a'.repeat(63), 'a'.repeat(63)],
    ['of 64 characters ends in a hash of it', 'a'.repeat(64), `${'a'.repeat(54)}-vimcoixb`],
    ['of 300 characters ends in a hash of it', long, `${'a'.repeat(54)}-wr892kkl`],
    [
      'that is cut at a dash has one dash',
      `${'a'.repeat(53)}-${'b'.repeat(50)}`,
      expect.stringMatching(/^a{53}-[a-z0-9]{8}$/),
    ],
    ['of which nothing is left is a hash', '🎉', 'xt8fm7ay'],
    ['of dashes is a hash', '---', expect.stringMatching(/^x[a-z0-9]{7}$/)],
  ])('%s', (_, text, expected) => expect(dnsLabel(text)).toEqual(expected));

  test('of any text is one that Kubernetes takes', () => {
    fc.assert(
      fc.property(
        anyText.filter(text => text !== ''),
        text => {
          expect(dnsLabel(text)).toMatch(DNS_LABEL);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('of any text is no longer than it may be', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 10, max: 63 }), (text, longest) => {
        expect(dnsLabel(text, longest).length).toBeLessThanOrEqual(longest);
      }),
    );
  });

  test('that is one already stays', () => {
    fc.assert(
      fc.property(fc.stringMatching(DNS_LABEL), label => {
        expect(dnsLabel(label)).toBe(label);
      }),
    );
  });

  test('of long texts that begin and end alike stay apart', () => {
    const middle = fc.stringMatching(/^[a-z0-9]{1,20}$/);
    fc.assert(
      fc.property(middle, middle, (one, other) => {
        fc.pre(one !== other);
        const around = (text: string) => `${'x'.repeat(60)}${text}${'y'.repeat(60)}`;
        expect(dnsLabel(around(one))).not.toBe(dnsLabel(around(other)));
      }),
    );
  });
});

describe("a pod's name", () => {
  test.each([
    ['ends in eight characters of its own', 'My_Job', 'u', 'my-job-lcdwep7t'],
    ['is used as it is where that is asked for', 'My_Job', undefined, 'my-job'],
    ['has room for them', long, 'u', `${'a'.repeat(45)}-wr892kkl-lcdwep7t`],
    ['has them where nothing is left of the name', '🎉', 'u', 'xt8fm7ay-lcdwep7t'],
  ])('%s', (_, name, uniqueness, expected) => expect(podName(name, uniqueness)).toBe(expected));

  test('is one that Kubernetes takes, whatever was asked for', () => {
    fc.assert(
      fc.property(anyText, fc.string(), (name, uniqueness) => {
        expect(podName(name, uniqueness)).toMatch(DNS_LABEL);
      }),
      { numRuns: 1000, examples: [['', 'u']] },
    );
  });

  test('is another one for another pod', () => {
    fc.assert(
      fc.property(anyText, fc.string(), fc.string(), (name, one, other) => {
        fc.pre(one !== other);
        expect(podName(name, one)).not.toBe(podName(name, other));
      }),
    );
  });

  test('is the same for the same pod', () => {
    expect(podName('train', 'u')).toBe(podName('train', 'u'));
  });
});

describe("a label's value", () => {
  test.each([
    ['that fits stays', 'My_Job.v1-2', 'My_Job.v1-2'],
    ['of 63 characters stays', 'a'.repeat(63), 'a'.repeat(63)],
    ['that is empty stays', '', ''],
    ['of 64 characters ends in a hash of it', 'a'.repeat(64), `${'a'.repeat(54)}-vimcoixb`],
    ['of 300 characters ends in a hash of it', long, `${'a'.repeat(54)}-wr892kkl`],
    ['with dots and dashes at its start', '.hi.-_09HI', 'hi.-_09HI-nj1y35fl'],
    ['as the runner makes up for a step', '__run_2', 'run_2-n7jcgi5l'],
    ['of a matrix', 'build (20, ubuntu-latest)', 'build-20-ubuntu-latest-o14yhyda'],
    ['of which nothing is left is a hash', '🎉', 't8fm7ayq'],
  ])('%s', (_, text, expected) => expect(labelValue(text)).toBe(expected));

  test('of any text is one that Kubernetes takes', () => {
    fc.assert(
      fc.property(anyText, text => {
        expect(labelValue(text)).toMatch(LABEL_VALUE);
        expect(labelValue(text).length).toBeLessThanOrEqual(63);
      }),
      { numRuns: 1000 },
    );
  });

  test('that is one already stays', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(LABEL_VALUE).filter(value => value.length <= 63),
        value => {
          expect(labelValue(value)).toBe(value);
        },
      ),
    );
  });

  test('of different texts stay apart', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 90 }), fc.string({ maxLength: 90 }), (one, other) => {
        fc.pre(one !== other);
        expect(labelValue(one)).not.toBe(labelValue(other));
      }),
    );
  });
});

test('a hash can begin a name', () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: 1, max: 32 }), (text, length) => {
      expect(hash(text, length)).toMatch(/^[a-z][a-z0-9]*$/);
      expect(hash(text, length)).toHaveLength(length);
    }),
  );
});

test('a text of 100,000 dashes takes no time', () => {
  const start = performance.now();
  const text = `${'-'.repeat(120_000)}a`;
  expect(dnsLabel(text)).toMatch(/^x[a-z0-9]+$|-[a-z0-9]{8}$/);
  expect(labelValue(`a${'.'.repeat(120_000)}b`)).toMatch(/^a.*-[a-z0-9]{8}$/);
  expect(performance.now() - start).toBeLessThan(1000);
});
