import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { droppedFields } from '../../src/pod/compare.ts';
import type { Json, JsonObject, Path } from '../../src/pod/json.ts';
import { printYaml } from '../../src/pod/print.ts';
import { brokenPods } from '../pod/broken-pods.ts';
import { manifests } from '../pod/manifests.ts';
import { type Answer, ApiProxy } from '../support/api-proxy.ts';
import { kubectl } from '../support/cluster.ts';
import { HOSTILE_TEXTS } from '../support/hostile-texts.ts';
import { validPod } from '../support/valid-pods.ts';

let api: ApiProxy;
beforeAll(async () => {
  api = await ApiProxy.start();
}, 60_000);
afterAll(() => api[Symbol.asyncDispose]());

/** What the API server answers to a pod. Nothing is created. */
async function create(pod: JsonObject): Promise<Answer<{ message: string }>> {
  const metadata = { name: 'pod', ...(pod['metadata'] as JsonObject | undefined) };
  const { namespace = 'default' } = metadata as { namespace?: string };
  return api.request(
    'POST',
    `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods?dryRun=All&fieldValidation=Strict`,
    { apiVersion: 'v1', kind: 'Pod', ...pod, metadata },
  );
}

async function verdict(pod: JsonObject): Promise<string> {
  const { status, body } = await create(pod);
  return status < 300 ? 'taken' : body.message;
}

describe('what our checks take the API server takes', () => {
  test.each(manifests)('%s', async (_, pod) => expect(await verdict(pod)).toBe('taken'));
});

describe('and its answer lacks nothing of it', () => {
  test.each(manifests)('%s', async (_, pod) => {
    expect(droppedFields(pod, (await create(pod)).body)).toEqual([]);
  });

  test('nor of any random one', async () => {
    for (const pod of fc.sample(validPod, { numRuns: 200, seed: 1 })) {
      // A pod of a deadline may not restart for ever; and Kubernetes looks for the service account.
      const { serviceAccountName, ...spec } = pod['spec'] as JsonObject;
      const { body } = await create({ ...pod, spec });
      expect(droppedFields({ ...pod, spec }, body)).toEqual([]);
    }
  });
});

describe('as YAML', () => {
  const plainly = {
    sourceOf: (path: Path) => `where: "${path.at(-1)}" # came from\n`,
    shown: (_: Path, value: Json) => value,
  };
  /** What kubectl reads it as, by the YAML of Go. */
  const read = async (pod: JsonObject) =>
    JSON.parse(
      await kubectl(
        ['create', '-f', '-', '--dry-run=client', '--validate=false', '-o', 'json'],
        printYaml(pod, plainly),
      ),
    ) as JsonObject;

  test('kubectl reads every text as it is', async () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'pod',
        annotations: Object.fromEntries(HOSTILE_TEXTS.map((text, index) => [`key-${index}`, text])),
      },
      spec: {
        nodeSelector: Object.fromEntries(HOSTILE_TEXTS.map((text, index) => [text, `${index}`])),
        containers: [{ name: 'base', image: 'busybox', args: HOSTILE_TEXTS }],
      },
    };
    expect(await read(pod)).toMatchObject(pod);
  });
});

/** Refused by us alone: the server takes them, and they end worse. */
const OURS_ALONE = [
  // The kubelet: InvalidImageName, for ever.
  'white space in an image',
  // The runtime: CreateContainerError.
  'a folder to work in',
  // Taken for a path below /.
  'a relative path',
  // No Secret can have that name, so it is never found.
  'a pull secret',
];

describe('what our checks refuse the API server refuses', () => {
  test.each(brokenPods)('%s', async (what, pod) => {
    const said = await verdict(pod);
    if (OURS_ALONE.includes(what)) expect(said).toBe('taken');
    else expect(said).toMatch(/invalid|Required value|not found|Duplicate|cannot be handled|no PriorityClass/i);
  });
});
