import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { prepare } from '../../../src/run/prepare.ts';
import { environment } from '../../github/inputs/given.ts';
import { leastPodWith, podOf, unmarked } from '../planned.ts';
import { CONTAINER } from './parameters-container.ts';
import { POD } from './parameters-pod.ts';
import { FILES, KPO, TEMPLATE } from './parameters-template.ts';

const GROUPS = ['Container', 'Pod', 'Template', "For KPO's sake"];
const ROWS = { ...CONTAINER, ...POD, ...TEMPLATE, ...KPO };

/** The inputs of a group in action.yml, which are those below its heading. */
function inputsOf(group: string): string[] {
  const action = readFileSync(new URL('../../../action.yml', import.meta.url), 'utf8');
  const [, inputs = ''] = /^inputs:\n(.*?)^outputs:/ms.exec(action) ?? [];
  const groups = inputs.split(/^ {2}# (?=.*\n)/m).map(text => text.split('\n'));
  const [, ...lines] = groups.find(([heading]) => heading === group) ?? [];
  return lines.flatMap(line => /^ {2}(\w+):/.exec(line)?.[1] ?? []);
}

test.each(GROUPS)('every input of the group %s is here', group => {
  const inputs = inputsOf(group);
  expect(inputs).not.toEqual([]);
  expect(inputs.filter(input => (ROWS[input] ?? FILES[input] ?? []).length === 0)).toEqual([]);
});

test('every row is of an input there is', () => {
  const inputs = GROUPS.flatMap(inputsOf);
  expect([...Object.keys(ROWS), ...Object.keys(FILES)].filter(input => !inputs.includes(input))).toEqual([]);
});

describe.each(Object.entries(ROWS))('%s', (input, rows) => {
  test.each(rows)('%j', (text, parts, more = {}) => {
    const given = { ...more, ...(typeof text === 'string' ? { [input]: text } : text) };
    expect(unmarked(podOf(given))).toStrictEqual(unmarked(leastPodWith(parts)));
  });
});

describe.each(Object.entries(FILES))('%s', (_, cases) => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'parameters-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each(cases)('$given', async ({ given, files, parts }) => {
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
    const placed = Object.entries(given).map(([name, text]) => [name, text.replace('$DIR', folder)]);
    const env = environment(Object.fromEntries(placed));
    const { plan } = await prepare(env, AbortSignal.timeout(10_000));
    const { name: _name, annotations: _mark, ...metadata } = plan.pod.metadata ?? {};
    const { name: _other, annotations: _none, ...expected } = leastPodWith(parts).metadata ?? {};
    expect({ ...plan.pod, metadata }).toStrictEqual({ ...leastPodWith(parts), metadata: expected });
  });
});
