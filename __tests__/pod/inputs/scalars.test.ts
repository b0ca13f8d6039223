import { describe, expect, test } from '@jest/globals';
import type { V1Volume } from '@kubernetes/client-node';
import { baseOf, podOf, refusal } from '../planned.ts';

/** What YAML could read as something else than what stands there. */
const WRITTEN = [
  ...['0400', '1.10', 'yes', 'no', 'on', 'off', 'n', 'True', 'false', '1_000', '0x10', '0o17', '1e3', '-0', '.5', '+1'],
  ...['2020-01-01', '2020-01-01T00:00:00Z', '12:30:45', '9007199254740993', '12345678901234567890', '.inf', '500m'],
];

describe('where the API takes text, what was written arrives', () => {
  test.each(WRITTEN)('%s', text => {
    const given = {
      annotations: `{a: ${text}}`,
      node_selector: `{a: ${text}}`,
      env_vars: `{A: ${text}}`,
      pod_runtime_info_envs: `[{name: B, value: ${text}}]`,
      arguments: `[${text}]`,
      tolerations: `[{key: a, value: ${text}}]`,
      volumes: `[{name: v, csi: {driver: d, volume_attributes: {a: ${text}}}}]`,
      full_pod_spec: `{metadata: {annotations: {b: ${text}}}, spec: {containers: [{name: base, env: [{name: C, value: ${text}}]}]}}`,
      pod_patch: `{metadata: {annotations: {c: ${text}}}, spec: {containers: [{name: base, env: [{name: D, value: ${text}}]}]}}`,
    };
    const { metadata, spec } = podOf(given);
    const base = baseOf(given);
    expect(metadata?.annotations).toMatchObject({ a: text, b: text, c: text });
    expect(spec?.nodeSelector).toEqual({ a: text });
    expect(base.env?.map(({ name, value }) => [name, value])).toEqual(['C', 'A', 'B', 'D'].map(name => [name, text]));
    expect(base.args).toEqual([text]);
    expect(spec?.tolerations).toEqual([{ key: 'a', value: text }]);
    expect(spec?.volumes?.[0]?.csi?.volumeAttributes).toEqual({ a: text });
  });

  test.each(WRITTEN)('%s as the name of a variable', text => {
    expect(baseOf({ env_vars: `{${text}: x}` }).env).toEqual([{ name: text, value: 'x' }]);
  });

  test.each(['null', '~', ''])('where %j is written, which is no text, nothing', text => {
    const { metadata, spec } = podOf({
      annotations: `{a: ${text}}`,
      tolerations: `[{key: a, value: ${text}}]`,
      volumes: `[{name: v, csi: {driver: d, volume_attributes: {a: ${text}}}}]`,
    });
    expect(metadata?.annotations).toMatchObject({ a: '' });
    expect(spec?.tolerations).toEqual([{ key: 'a' }]);
    expect(spec?.volumes).toEqual([{ name: 'v', csi: { driver: 'd', volumeAttributes: {} } }]);
  });
});

describe('where the API takes a number', () => {
  const mode = (text: string): V1Volume | undefined =>
    podOf({ volumes: `[{name: v, configMap: {name: c, defaultMode: ${text}}}]` }).spec?.volumes?.[0];

  test.each([
    ['0400', 256],
    ['0o400', 256],
    ['0x10', 16],
    ['256', 256],
    ['1e2', 100],
    ['0', 0],
  ])('%s is %d', (text, number) => expect(mode(text)?.configMap?.defaultMode).toBe(number));

  test.each(['null', '~', ''])('%j leaves it out', text => {
    expect(mode(text)).toEqual({ name: 'v', configMap: { name: 'c' } });
  });

  test.each([
    ['"256"', 'found text. Remove the quotes around it.'],
    ['1_000', 'found text.'],
    ['rw', 'found text.'],
    ['true', 'found the boolean true.'],
    ['[1]', 'found a list.'],
  ])('%s is refused', (text, found) => {
    expect(refusal({ volumes: `[{name: v, configMap: {name: c, defaultMode: ${text}}}]` }).text).toBe(
      `volumes[0].configMap.defaultMode: expected a number, ${found}`,
    );
  });

  test.each(['9007199254740993', '12345678901234567890', '.inf', '.nan'])(
    '%s, which would be rounded, is refused',
    text => {
      expect(refusal({ security_context: `{runAsUser: ${text}}` }).text).toBe(
        `security_context.runAsUser: ${text} is not a number that can be passed on exactly; the largest is 9007199254740991.`,
      );
    },
  );

  test('the largest that is not rounded arrives', () => {
    expect(podOf({ security_context: '{fs_group: 9007199254740991}' }).spec?.securityContext?.fsGroup).toBe(
      2 ** 53 - 1,
    );
  });
});

describe('where the API takes true or false', () => {
  test.each([
    ['true', true],
    ['True', true],
    ['FALSE', false],
  ])('%s is %s', (text, value) =>
    expect(baseOf({ container_security_context: `{privileged: ${text}}` }).securityContext?.privileged).toBe(value),
  );

  test.each([
    ['yes', 'found text.'],
    ['on', 'found text.'],
    ['"true"', 'found text. Remove the quotes around it.'],
    ['1', 'found the number 1.'],
  ])('%s is refused', (text, found) => {
    expect(refusal({ container_security_context: `{privileged: ${text}}` }).text).toBe(
      `container_security_context.privileged: expected true or false, ${found}`,
    );
  });
});

describe('where the API takes a number or text', () => {
  const port = (text: string) =>
    podOf({ init_containers: `[{name: a, image: b, readinessProbe: {httpGet: {port: ${text}}}}]` }).spec
      ?.initContainers?.[0]?.readinessProbe?.httpGet?.port;

  test.each([
    ['8080', 8080],
    ['http', 'http'],
    ['"8080"', '8080'],
  ])('%s arrives as it is', (text, expected) => expect(port(text)).toBe(expected));
});

describe('where a field is newer than what is known here', () => {
  const field = (text: string) =>
    Object.entries(podOf({ full_pod_spec: `{spec: {brandNew: ${text}}}` }).spec ?? {}).find(
      ([key]) => key === 'brandNew',
    )?.[1];

  test.each<[text: string, value: unknown]>([
    ['0400', 256],
    ['1.10', 1.1],
    ['yes', 'yes'],
    ['true', true],
    ['2020-01-01', '2020-01-01'],
    ['{snake_case: {host_ip: [1, null]}}', { snake_case: { host_ip: [1, null] } }],
    ['""', ''],
    ['[]', []],
    ['{}', {}],
    ['0', 0],
    ['false', false],
  ])('%s is what YAML reads', (text, value) => expect(field(text)).toEqual(value));

  test('a number that would be rounded is refused', () => {
    expect(refusal({ full_pod_spec: '{spec: {brandNew: [9007199254740993]}}' }).text).toBe(
      'full_pod_spec: spec.brandNew: holds a number that cannot be passed on exactly; the largest is 9007199254740991. Quote it if it is meant as text.',
    );
  });
});
