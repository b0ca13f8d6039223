import fc from 'fast-check';
import type { JsonObject } from '../../src/pod/json.ts';

/** Pods that the API server takes, and strategic merge patches of such: small names, so that a patch often meets what is there. */

const name = fc.constantFrom('a', 'b', 'c', 'd');
const word = fc.constantFrom('x', 'y', 'yes', '1.10', '', 'a b', 'é\n#');
const key = fc.constantFrom('team', 'a.io/b', 'c_d', '1');
const flag = fc.boolean();

/** Some of the fields, in any order. */
const some = (fields: Record<string, fc.Arbitrary<unknown>>) => fc.record(fields, { requiredKeys: [] });
const listBy = (field: string, item: fc.Arbitrary<Record<string, unknown>>, minLength = 0) =>
  fc.uniqueArray(item, { selector: value => value[field], minLength, maxLength: 3 });

const quantities = some({
  cpu: fc.constantFrom('100m', '1', '0.5'),
  memory: fc.constantFrom('64Mi', '1Gi'),
  'ephemeral-storage': fc.constantFrom('1Gi'),
});
const selector = some({
  matchLabels: fc.dictionary(key, fc.constantFrom('x', 'y'), { maxKeys: 2, noNullPrototype: true }),
  matchExpressions: fc.array(fc.record({ key, operator: fc.constantFrom('Exists', 'DoesNotExist') }), { maxLength: 2 }),
});

const variable = fc.oneof(
  fc.record({ name, value: word }),
  fc.record({
    name,
    valueFrom: fc.oneof(
      fc.record({ fieldRef: fc.record({ fieldPath: fc.constantFrom('metadata.name', 'status.podIP') }) }),
      fc.record({ secretKeyRef: fc.record({ name, key: name }) }),
      fc.record({ configMapKeyRef: fc.record({ name, key: name, optional: flag }) }),
    ),
  }),
);

const handler = fc.oneof(
  fc.record({ exec: fc.record({ command: fc.array(word, { minLength: 1, maxLength: 2 }) }) }),
  fc.record({ httpGet: fc.record({ port: fc.constantFrom(80, 'http'), path: fc.constantFrom('/', '/x') }) }),
  fc.record({ tcpSocket: fc.record({ port: fc.constantFrom(80, 'http') }) }),
);
const probe = fc
  .tuple(
    handler,
    some({ periodSeconds: fc.integer({ min: 1, max: 9 }), failureThreshold: fc.integer({ min: 1, max: 9 }) }),
  )
  .map(([how, times]) => ({ ...how, ...times }));

const securityContext = some({
  runAsUser: fc.nat(9),
  runAsNonRoot: fc.constant(false),
  readOnlyRootFilesystem: flag,
  capabilities: some({ add: fc.array(fc.constantFrom('NET_ADMIN', 'SYS_TIME'), { maxLength: 2 }) }),
  seLinuxOptions: some({ level: word, role: word }),
});

const source = fc.oneof(
  fc.record({ emptyDir: some({ medium: fc.constantFrom('', 'Memory'), sizeLimit: fc.constantFrom('1Gi') }) }),
  fc.record({ hostPath: some({ type: fc.constantFrom('', 'Directory') }).map(rest => ({ path: '/x', ...rest })) }),
  fc.record({ secret: some({ defaultMode: fc.constantFrom(256, 420) }).map(rest => ({ secretName: 's', ...rest })) }),
  fc.record({ persistentVolumeClaim: some({ readOnly: flag }).map(rest => ({ claimName: 'p', ...rest })) }),
);
const volume = fc.tuple(name, source).map(([is, of]) => ({ name: is, ...of }));

/** One number, one protocol: the server's patch takes two ports of one number for the same. */
const port = fc.constantFrom<Record<string, unknown>>(
  { containerPort: 80, protocol: 'TCP' },
  { containerPort: 8080, protocol: 'UDP' },
  { containerPort: 9090, protocol: 'TCP', name: 'metrics' },
);

const containerFields = {
  command: fc.array(word, { maxLength: 3 }),
  args: fc.array(word, { maxLength: 3 }),
  workingDir: fc.constantFrom('/w'),
  imagePullPolicy: fc.constantFrom('Always', 'Never'),
  stdin: flag,
  env: listBy('name', variable),
  envFrom: fc.array(fc.record({ secretRef: fc.record({ name }) }), { maxLength: 2 }),
  ports: listBy('containerPort', port),
  resources: some({ limits: quantities }),
  securityContext,
  lifecycle: some({ preStop: handler }),
};
/** Always there, so that there is something to mount whatever a patch does to the others. */
const LASTING = ['e', 'f'].map(is => ({ name: is, emptyDir: {} }));
const mount = fc
  .tuple(fc.constantFrom('e', 'f'), fc.constantFrom('/m', '/n', '/o'), some({ readOnly: flag, subPath: word }))
  .map(([is, mountPath, rest]) => ({ name: is, mountPath, ...rest }));
const image = fc.constantFrom('busybox:1', 'python:3');
const container = fc
  .tuple(name, image, some({ ...containerFields, volumeMounts: listBy('mountPath', mount), livenessProbe: probe }))
  .map(([is, runs, rest]) => ({ name: is, image: runs, ...rest }));

const toleration = fc.record({ key, operator: fc.constant('Exists') });
const specFields = {
  restartPolicy: fc.constantFrom('Always'),
  nodeSelector: fc.dictionary(key, fc.constantFrom('x', 'y'), { maxKeys: 2, noNullPrototype: true }),
  tolerations: fc.array(toleration, { maxLength: 2 }),
  imagePullSecrets: listBy('name', fc.record({ name })),
  hostAliases: listBy(
    'ip',
    fc.record({
      ip: fc.constantFrom('10.0.0.1', '10.0.0.2'),
      hostnames: fc.array(fc.constantFrom('h', 'i'), { maxLength: 2 }),
    }),
  ),
  securityContext: some({
    fsGroup: fc.nat(9),
    runAsUser: fc.nat(9),
    supplementalGroups: fc.array(fc.nat(9), { maxLength: 2 }),
  }),
  dnsConfig: some({ searches: fc.array(fc.constantFrom('x.io', 'y.io'), { maxLength: 2 }) }),
  topologySpreadConstraints: listBy(
    'topologyKey',
    fc.record({
      topologyKey: fc.constantFrom('zone', 'host'),
      whenUnsatisfiable: fc.constant('DoNotSchedule'),
      maxSkew: fc.integer({ min: 1, max: 3 }),
      labelSelector: selector,
    }),
  ),
  affinity: some({
    podAffinity: some({
      requiredDuringSchedulingIgnoredDuringExecution: fc.array(
        fc.record({ topologyKey: fc.constantFrom('zone'), labelSelector: selector }),
        { maxLength: 2 },
      ),
    }),
  }),
  terminationGracePeriodSeconds: fc.nat(9),
  hostname: fc.constantFrom('h', ''),
  serviceAccountName: fc.constantFrom('s', ''),
};
const texts = fc.dictionary(key, fc.constantFrom('x', 'y', ''), { maxKeys: 3, noNullPrototype: true });

/** `metadata` and `spec` of a pod that the API server takes. */
export const validPod = fc
  .tuple(
    some({ labels: texts, annotations: texts }),
    listBy('name', volume),
    listBy('name', container, 1),
    some(specFields),
  )
  .map(([metadata, volumes, containers, spec]) => ({
    metadata,
    spec: { containers, volumes: [...volumes, ...LASTING], ...spec },
  })) as fc.Arbitrary<JsonObject>;

/** Where a value may stand, null may: it takes away. */
const orNull = (value: fc.Arbitrary<unknown>) => fc.oneof({ weight: 5, arbitrary: value }, fc.constant(null));
const patchOf = (fields: Record<string, fc.Arbitrary<unknown>>) =>
  some(Object.fromEntries(Object.entries(fields).map(([field, value]) => [field, orNull(value)])));

/** An item of a keyed list: to be merged, or to be deleted. */
const itemOr = (field: string, item: fc.Arbitrary<Record<string, unknown>>) =>
  fc.oneof(
    { weight: 4, arbitrary: item },
    item.map(value => ({ [field]: value[field], $patch: 'delete' })),
  );
/** Items of a keyed list, perhaps in place of all that are there. An empty list is left out: it means something else here, on purpose. */
const patchList = (field: string, item: fc.Arbitrary<Record<string, unknown>>) =>
  fc
    .tuple(listBy(field, itemOr(field, item), 1), fc.boolean(), fc.boolean())
    .map(([items, one, two]) => (one && two ? [...items, { $patch: 'replace' }] : items));

const volumePatch = fc
  .tuple(name, source, fc.constantFrom('merge', 'retain', 'replace-fields'))
  .map(([is, of, how]) => {
    const kinds = ['emptyDir', 'hostPath', 'secret', 'persistentVolumeClaim'].filter(kind => !(kind in of));
    // One volume has one source; a merge of two kinds has to say so for the server to take it.
    if (how === 'retain') return { name: is, ...of, $retainKeys: ['name', ...Object.keys(of)] };
    return { name: is, ...of, ...Object.fromEntries(kinds.map(kind => [kind, null])) };
  });
const variablePatch = variable.map(
  (item): Record<string, unknown> =>
    'value' in item
      ? { ...item, valueFrom: null }
      : {
          name: item.name,
          value: null,
          valueFrom: {
            ...Object.fromEntries(['fieldRef', 'secretKeyRef', 'configMapKeyRef'].map(kind => [kind, null])),
            ...item.valueFrom,
          },
        },
);
const handlerPatch = handler.map(of => ({ exec: null, httpGet: null, tcpSocket: null, ...of }));
const deletedWords = fc.array(fc.oneof(word, fc.constant('nope')), { minLength: 1, maxLength: 2 });

const limits = { cpu: fc.constant('2'), memory: fc.constant('2Gi') };
const mountPatch = fc
  .tuple(fc.constantFrom('/m', '/n', '/p'), fc.constantFrom('e', 'f'), patchOf({ readOnly: flag }))
  .map(([mountPath, is, rest]) => ({ mountPath, name: is, ...rest }));
const hostPatch = fc
  .tuple(fc.constantFrom('10.0.0.1', '10.0.0.3'), patchOf({ hostnames: fc.array(fc.constantFrom('h', 'j')) }))
  .map(([ip, rest]) => ({ ip, ...rest }));
const spreadPatch = fc
  .tuple(fc.constantFrom('zone', 'host', 'rack'), fc.integer({ min: 1, max: 3 }), patchOf({ labelSelector: selector }))
  .map(([topologyKey, maxSkew, rest]) => ({ topologyKey, whenUnsatisfiable: 'DoNotSchedule', maxSkew, ...rest }));

/** @param list makes the patch of a keyed list */
function containerPatch(list: typeof patchList) {
  return fc
    .tuple(
      name,
      image,
      patchOf({
        ...containerFields,
        env: list('name', variablePatch),
        ports: list('containerPort', port),
        volumeMounts: list('mountPath', mountPatch),
        lifecycle: patchOf({ preStop: handlerPatch }),
        livenessProbe: handlerPatch,
        // Where there is nothing yet, the server makes of null a limit of 0.
        resources: patchOf({ limits: list === patchList ? patchOf(limits) : some(limits) }),
        securityContext: patchOf({ runAsUser: fc.nat(9), capabilities: patchOf({ add: deletedWords }) }),
      }),
      some({ '$deleteFromPrimitiveList/command': deletedWords, '$deleteFromPrimitiveList/args': deletedWords }),
    )
    .map(([is, runs, fields, directives]): Record<string, unknown> => {
      // The server takes a list, and what is to be deleted from it, in any order.
      const lone = Object.entries(directives).filter(([directive]) => !((directive.split('/')[1] ?? '') in fields));
      return { name: is, image: runs, ...fields, ...(list === patchList ? Object.fromEntries(lone) : {}) };
    });
}

const namesIn = (list: unknown) =>
  Array.isArray(list) ? list.map(item => (item as Record<string, unknown>)['name']) : [];

/** In an item that is new to its list the server takes directives for text of the user's, so that `$patch: delete` adds what it was to delete. Here they are left out. */
function containersPatch(known: unknown[]) {
  const plain = containerPatch((field, item) => listBy(field, item, 1));
  const isKnown = (item: Record<string, unknown>) => known.includes(item['name']);
  return fc.oneof(
    listBy('name', plain, 1).map(items => [...items, { $patch: 'replace' }]),
    listBy(
      'name',
      fc.oneof(
        itemOr('name', containerPatch(patchList)).filter(item => isKnown(item) || '$patch' in item),
        plain.filter(item => !isKnown(item)),
      ),
      1,
    ),
  );
}

/** Likewise `$patch: replace`, in a mapping that is not there, takes the mapping itself away. */
const textsPatch = (base: unknown) =>
  base === undefined
    ? texts
    : fc.oneof(
        fc.dictionary(key, orNull(fc.constantFrom('x', 'z')), { noNullPrototype: true, maxKeys: 3 }),
        texts.map(value => ({ ...value, $patch: 'replace' })),
      );

/**
 * A strategic merge patch of a pod, with every directive that the server knows but `$setElementOrder`.
 * Left out is what docs/pod-templates.md says to differ.
 */
export function patchOfPod(pod: JsonObject): fc.Arbitrary<JsonObject> {
  const { metadata, spec } = pod as Record<string, Record<string, unknown>>;
  const { containers: _, ...specPatch } = {
    ...specFields,
    containers: undefined,
    nodeSelector: textsPatch(spec?.['nodeSelector']),
    volumes: patchList('name', volumePatch).map(volumes => [...volumes, ...LASTING]),
    imagePullSecrets: patchList('name', fc.record({ name })),
    hostAliases: patchList('ip', hostPatch),
    topologySpreadConstraints: patchList('topologyKey', spreadPatch),
  };
  const containers = containersPatch(namesIn(spec?.['containers']));
  return some({
    metadata: patchOf({
      labels: textsPatch(metadata?.['labels']),
      annotations: textsPatch(metadata?.['annotations']),
    }),
    spec: fc
      .tuple(patchOf(specPatch), some({ containers }))
      .map(([fields, withContainers]) => ({ ...fields, ...withContainers })),
  }) as fc.Arbitrary<JsonObject>;
}
