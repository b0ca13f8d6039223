import { FIELDS } from './fields.ts';
import { isObject } from './json.ts';

/** The type of a field, as `fields.ts` writes it. */
export type FieldType = string;

export interface Field {
  name: string;
  type: FieldType;
  required: boolean;
}

const models = new Map<FieldType, Map<string, Field>>();

/** @returns the fields of a model such as `V1Container`; `undefined` for a type that is none, so also for one that is not known. */
export function fieldsOf(model: FieldType): Map<string, Field> | undefined {
  const known = models.get(model);
  const text = Object.hasOwn(FIELDS, model) ? FIELDS[model] : undefined;
  if (known !== undefined || text === undefined) return known;
  const fields = text.split(' ').map((field): [string, Field] => {
    const [name = '', type = ''] = field.split(':');
    const required = name.endsWith('!');
    const bare = required ? name.slice(0, -1) : name;
    return [bare, { name: bare, type, required }];
  });
  models.set(model, new Map(fields));
  return models.get(model);
}

/** @returns the type of a list's items, `undefined` where `type` is no list. */
export function itemType(type: FieldType): FieldType | undefined {
  return type.startsWith('[') ? type.slice(1, -1) : undefined;
}

/** @returns the type of the values of a mapping whose keys are the user's, `undefined` where `type` is no such mapping. */
export function valueType(type: FieldType): FieldType | undefined {
  return type.startsWith('{') ? type.slice(1, -1) : undefined;
}

/**
 * Finds a field by the API's own name, or by what the Python models that KPO's users know call it: `host_ip` for hostIP, `target_ww_ns` for targetWWNs, `_from` for from.
 * @returns `undefined` where it is neither; it may be newer than this table
 */
export function fieldNamed(model: FieldType, key: string): Field | undefined {
  const fields = fieldsOf(model);
  const exact = fields?.get(key);
  if (exact !== undefined || fields === undefined || !/^[a-z0-9_]+$/.test(key) || !key.includes('_')) return exact;
  const folded = key.replaceAll('_', '');
  return [...fields.values()].find(({ name }) => name.toLowerCase() === folded);
}

/**
 * What tells the items of a list apart when two lists are merged: Kubernetes' own patchMergeKey; for ports and topologySpreadConstraints also what its server-side apply adds, without which two would become one.
 * A list that is not here is replaced as a whole.
 */
const MERGE_KEYS: Record<string, string[]> = {
  'V1PodSpec.containers': ['name'],
  'V1PodSpec.initContainers': ['name'],
  'V1PodSpec.ephemeralContainers': ['name'],
  'V1PodSpec.volumes': ['name'],
  'V1PodSpec.hostAliases': ['ip'],
  'V1PodSpec.topologySpreadConstraints': ['topologyKey', 'whenUnsatisfiable'],
  'V1PodSpec.resourceClaims': ['name'],
  'V1PodSpec.schedulingGates': ['name'],
  'V1Container.env': ['name'],
  'V1Container.ports': ['containerPort', 'protocol'],
  'V1Container.volumeMounts': ['mountPath'],
  'V1Container.volumeDevices': ['devicePath'],
  'V1ObjectMeta.ownerReferences': ['uid'],
};
/** Lists that only a strategic merge patch merges: who names a pull Secret in an input means that one. */
const PATCH_KEYS: Record<string, string[]> = { 'V1PodSpec.imagePullSecrets': ['name'] };
/** Lists that a strategic merge patch replaces: several inputs bring some of envFrom, and none of them is to be lost. */
const LAYER_KEYS: Record<string, string[]> = {
  'V1Container.envFrom': ['prefix', 'configMapRef.name', 'secretRef.name'],
  'V1ResourceRequirements.claims': ['name', 'request'],
};

/** Lists in which the server takes two items that merge as one: two names for one address are often written as two, and a port can be bound to two addresses of the node. */
const REPEATABLE: Record<string, string[] | undefined> = {
  'V1Container.envFrom': undefined,
  'V1PodSpec.hostAliases': undefined,
  'V1Container.ports': ['containerPort', 'protocol', 'hostIP', 'hostPort'],
};

const DEFAULTS: Record<string, string> = {
  protocol: 'TCP',
  whenUnsatisfiable: 'DoNotSchedule',
  request: '',
  hostIP: '',
  hostPort: '',
  prefix: '',
  'configMapRef.name': '',
  'secretRef.name': '',
};

/** @returns the fields that tell the items of a list apart, `undefined` for a list that is replaced as a whole. */
export function mergeKeys(model: FieldType, field: string, strategic: boolean): string[] | undefined {
  const list = `${model}.${field}`;
  return MERGE_KEYS[list] ?? (strategic ? PATCH_KEYS : LAYER_KEYS)[list];
}

/** @returns the fields by which the items of a list have to differ, `undefined` where they need not. */
export function uniqueKeys(model: FieldType, field: string, strategic: boolean): string[] | undefined {
  const list = `${model}.${field}`;
  return list in REPEATABLE ? REPEATABLE[list] : mergeKeys(model, field, strategic);
}

/** @returns what an item is known by among its neighbours, `undefined` where it lacks it. */
export function itemKey(item: unknown, keys: string[]): string | undefined {
  const values = keys.map(key => fieldAt(item, key) ?? DEFAULTS[key]);
  if (!isObject(item) || values.includes(undefined)) return undefined;
  // What is no scalar is refused elsewhere, in whatever shape it is.
  return values.map(value => (typeof value === 'object' ? JSON.stringify(value) : String(value))).join('/');
}

function fieldAt(item: unknown, key: string): unknown {
  return key
    .split('.')
    .reduce<unknown>((value, step) => (isObject(value) && Object.hasOwn(value, step) ? value[step] : undefined), item);
}

/**
 * Fields of which an object has one: who sets one of them takes the others away, for together they are an error (Kubernetes' retainKeys strategy, and the unions it has none for).
 * Without `fields` all of the model's are meant, save `except`.
 */
const ONE_OF: Record<string, { fields?: string[]; except?: string[] }> = {
  V1EnvVar: { fields: ['value', 'valueFrom'] },
  V1EnvVarSource: {},
  V1Volume: { except: ['name'] },
  V1Probe: { fields: ['exec', 'grpc', 'httpGet', 'tcpSocket'] },
  V1LifecycleHandler: {},
  V1PodResourceClaim: { except: ['name'] },
};

/** @returns the fields of `model` of which an object has one. */
export function oneOf(model: FieldType): string[] {
  const rule = ONE_OF[model];
  if (rule === undefined) return [];
  return rule.fields ?? [...(fieldsOf(model)?.keys() ?? [])].filter(name => !rule.except?.includes(name));
}

/** @returns the fields of `model` that exclude `field`. */
export function excludedBy(model: FieldType, field: string): string[] {
  const group = oneOf(model);
  return group.includes(field) ? group.filter(name => name !== field) : [];
}
