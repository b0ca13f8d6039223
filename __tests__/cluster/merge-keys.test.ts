import { expect, test } from '@jest/globals';
import { FIELDS } from '../../src/pod/fields.ts';
import { fieldsOf, itemType, mergeKeys } from '../../src/pod/schema.ts';
import { kubectl } from '../support/cluster.ts';

interface Definition {
  properties?: Record<
    string,
    {
      type?: string;
      'x-kubernetes-patch-merge-key'?: string;
      'x-kubernetes-patch-strategy'?: string;
      'x-kubernetes-list-map-keys'?: string[];
    }
  >;
}

const openApi = async () => JSON.parse(await kubectl(['get', '--raw', '/openapi/v2'])) as { definitions: object };

/** The server's own definition of one of our models. */
function definitionOf(model: string, definitions: Record<string, Definition>): Definition {
  const kind = model.replace(/^(CoreV1|V1)/, '');
  return definitions[`io.k8s.api.core.v1.${kind}`] ?? definitions[`io.k8s.apimachinery.pkg.apis.meta.v1.${kind}`] ?? {};
}

/** Lists that we merge in another way than the server's strategic merge patch, and why. */
const STRATEGIC_DIFFERENCES: Record<string, string> = {
  // Two ports of one number and two protocols are two ports, as the server itself says where it applies (x-kubernetes-list-map-keys).
  'V1Container.ports': 'containerPort,protocol',
  'V1PodSpec.topologySpreadConstraints': 'topologyKey,whenUnsatisfiable',
  // The same model under another name; a pod cannot be created with ephemeral containers.
  'V1EphemeralContainer.env': 'as a whole',
  'V1EphemeralContainer.ports': 'as a whole',
  'V1EphemeralContainer.volumeDevices': 'as a whole',
  'V1EphemeralContainer.volumeMounts': 'as a whole',
};

/** Lists that inputs and templates merge in another way than a strategic merge patch does, and why. */
const LAYER_DIFFERENCES: Record<string, string> = {
  // env_from, configmaps and secrets each bring some.
  'V1Container.envFrom': 'prefix,configMapRef.name,secretRef.name',
  // Who names a pull secret means that one, as in KPO.
  'V1PodSpec.imagePullSecrets': 'as a whole',
  // The server's key for it where it applies.
  'V1ResourceRequirements.claims': 'name,request',
};

test("lists merge by the server's own keys, save those that are meant to differ", async () => {
  const definitions = (await openApi()).definitions as Record<string, Definition>;
  const strategic: Record<string, string> = {};
  const layers: Record<string, string> = {};
  const unknown: string[] = [];
  for (const model of Object.keys(FIELDS)) {
    const { properties = {} } = definitionOf(model, definitions);
    for (const { name, type } of fieldsOf(model)?.values() ?? []) {
      const theirs = properties[name];
      // A field of ours that this server's version has no more, or not yet.
      if (theirs === undefined) unknown.push(`${model}.${name}`);
      if (theirs === undefined || itemType(type) === undefined) continue;
      const key = theirs['x-kubernetes-patch-merge-key'] ?? 'as a whole';
      const [patched, layered] = [true, false].map(isPatch => mergeKeys(model, name, isPatch)?.join() ?? 'as a whole');
      if (patched !== key) strategic[`${model}.${name}`] = patched ?? '';
      if (layered !== patched) layers[`${model}.${name}`] = layered ?? '';
    }
  }
  expect(strategic).toEqual(STRATEGIC_DIFFERENCES);
  expect(layers).toEqual(LAYER_DIFFERENCES);
  expect(unknown).toEqual([]);
});

test('the lists that a strategic merge patch joins without a key are those that we replace', async () => {
  const definitions = (await openApi()).definitions as Record<string, Definition>;
  const joined = Object.keys(FIELDS).flatMap(model =>
    Object.entries(definitionOf(model, definitions).properties ?? {})
      .filter(([, { 'x-kubernetes-patch-strategy': how = '', 'x-kubernetes-patch-merge-key': key }]) => {
        return how.includes('merge') && key === undefined;
      })
      .map(([field]) => `${model}.${field}`),
  );
  // A pod that is to be gone when the step ends has no use for any.
  expect(joined).toEqual(['V1ObjectMeta.finalizers']);
});

test('every number in a pod is a whole one', async () => {
  const definitions = (await openApi()).definitions as Record<string, Definition>;
  const others = Object.keys(FIELDS).flatMap(model =>
    [...(fieldsOf(model)?.values() ?? [])]
      .filter(({ name, type }) => {
        const theirs = definitionOf(model, definitions).properties?.[name]?.type;
        return type === 'number' && theirs !== undefined && theirs !== 'integer';
      })
      .map(({ name }) => `${model}.${name}`),
  );
  expect(others).toEqual([]);
});
