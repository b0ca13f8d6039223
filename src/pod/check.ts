import { didYouMean } from '../github/inputs/reader.ts';
import { isObject, type Json, type JsonObject, objectOf, objectsOf, type Path, textOf } from './json.ts';
import { isQuantity, quantityValue } from './quantity.ts';
import { RESULT_SIDECAR } from './result.ts';
import { type FieldType, fieldNamed, fieldsOf, itemType, oneOf } from './schema.ts';

/** Takes note of a problem with the pod. @param path the place in the pod */
export type ReportAt = (path: Path, sentence: string) => void;

const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const QUALIFIED_NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const LONGEST_SUBDOMAIN = 253;
const MOST_ANNOTATION_BYTES = 256 * 1024;
const MOST_PORT = 65535;

/**
 * Checks a whole pod for what the API server would refuse with less of a hint, or would take and not mean: before anything is sent, and all of it at once.
 * It knows less than the server on purpose: what is not clear is left to it. What is of the wrong type has been told where it was read.
 * @param base the container whose image is an input of its own, and checked with it
 */
export function checkPod(pod: JsonObject, base: string, report: ReportAt): void {
  checkFields(pod, 'V1Pod', [], report);
  checkMetadata(objectOf(pod['metadata']), report);
  const spec = objectOf(pod['spec']);
  checkNames(spec, report);
  const volumes = new Set(objectsOf(spec['volumes']).map(volume => String(volume['name'])));
  for (const list of ['initContainers', 'containers'] as const)
    for (const [index, container] of objectsOf(spec[list]).entries())
      checkContainer(
        container,
        ['spec', list, index],
        volumes,
        base,
        list === 'containers' && container['name'] === base,
        report,
      );
}

/** Required fields that may be empty all the same. */
const MAY_BE_EMPTY = ['V1HTTPHeader.value', 'V1Sysctl.value'];

/** What Kubernetes requires, and what it takes one of, at any depth. */
function checkFields(value: Json, type: FieldType, path: Path, report: ReportAt): void {
  const item = itemType(type);
  if (item !== undefined && Array.isArray(value)) {
    for (const [index, element] of value.entries()) checkFields(element, item, [...path, index], report);
    return;
  }
  const fields = fieldsOf(type);
  if (fields === undefined || !isObject(value)) return;
  const unknown = Object.keys(value).find(key => !fields.has(key));
  for (const { name, required } of fields.values()) {
    const empty = value[name] === '' && !MAY_BE_EMPTY.includes(`${type}.${name}`);
    if (required && (value[name] === undefined || empty))
      report(
        path,
        `has no ${name}, which Kubernetes requires.${unknown === undefined ? '' : ` Is ${unknown} meant to be it?`}`,
      );
  }
  const rivals = oneOf(type).filter(name => value[name] !== undefined && value[name] !== '');
  if (rivals.length > 1) report(path, `has ${rivals.join(' and ')}, of which Kubernetes takes one. Keep one of them.`);
  for (const [key, child] of Object.entries(value)) {
    const field = fieldNamed(type, key);
    if (field !== undefined) checkFields(child, field.type, [...path, key], report);
  }
}

function checkMetadata(metadata: JsonObject, report: ReportAt): void {
  for (const [key, value] of Object.entries(objectOf(metadata['labels']))) {
    const path = ['metadata', 'labels', key];
    checkQualifiedName(key, path, 'label', report);
    if (typeof value === 'string' && !LABEL_VALUE.test(value))
      report(
        path,
        `"${shown(value)}" cannot be the value of a label: at most 63 letters, digits, dashes, underscores and dots, first and last a letter or digit. Longer or other text can be an annotation.`,
      );
  }
  let bytes = 0;
  for (const [key, value] of Object.entries(objectOf(metadata['annotations']))) {
    bytes += Buffer.byteLength(key) + Buffer.byteLength(String(value));
    checkQualifiedName(key.toLowerCase(), ['metadata', 'annotations', key], 'annotation', report);
  }
  if (bytes > MOST_ANNOTATION_BYTES)
    report(['metadata', 'annotations'], `hold ${bytes} bytes together; Kubernetes takes ${MOST_ANNOTATION_BYTES}.`);
  const namespace = metadata['namespace'];
  if (typeof namespace === 'string' && !LABEL.test(namespace))
    report(
      ['metadata', 'namespace'],
      `"${shown(namespace)}" cannot be a namespace: lower-case letters, digits and dashes, at most 63, neither first nor last a dash.`,
    );
}

/** A key of labels or annotations: a name of 63 characters, and before it perhaps a domain and a slash. */
function checkQualifiedName(key: string, path: Path, what: string, report: ReportAt): void {
  const [name = '', prefix, ...more] = key.split('/').reverse();
  const rightPrefix = prefix === undefined || (SUBDOMAIN.test(prefix) && prefix.length <= LONGEST_SUBDOMAIN);
  if (more.length === 0 && QUALIFIED_NAME.test(name) && rightPrefix) return;
  const rule = 'at most 63 letters, digits, dashes, underscores and dots, first and last a letter or digit';
  report(
    path,
    `"${shown(key)}" cannot be the key of ${what === 'label' ? 'a label' : 'an annotation'}: ${rule}; before it there may be a domain and a slash.`,
  );
}

function checkNames(spec: JsonObject, report: ReportAt): void {
  for (const field of ['serviceAccountName', 'priorityClassName', 'runtimeClassName'])
    checkSubdomain(spec[field], ['spec', field], report);
  for (const field of ['hostname', 'subdomain']) checkLabel(spec[field], ['spec', field], report);
  for (const [index, volume] of objectsOf(spec['volumes']).entries())
    checkLabel(volume['name'], ['spec', 'volumes', index, 'name'], report);
  for (const [index, { name }] of objectsOf(spec['imagePullSecrets']).entries())
    checkSubdomain(name, ['spec', 'imagePullSecrets', index, 'name'], report);
  const names = new Set<string>();
  for (const list of ['containers', 'initContainers'] as const)
    for (const [index, { name }] of objectsOf(spec[list]).entries()) {
      const path = ['spec', list, index, 'name'];
      if (typeof name !== 'string' || name === '') continue;
      checkLabel(name, path, report);
      if (names.has(name)) report(path, `"${shown(name)}" is the name of another container too.`);
      names.add(name);
    }
}

/** Empty text means none. */
function checkLabel(name: Json | undefined, path: Path, report: ReportAt): void {
  if (typeof name === 'string' && name !== '' && !LABEL.test(name))
    report(
      path,
      `"${shown(name)}" is no valid name: lower-case letters, digits and dashes, at most 63, neither first nor last a dash.`,
    );
}

function checkSubdomain(name: Json | undefined, path: Path, report: ReportAt): void {
  if (typeof name === 'string' && name !== '' && (!SUBDOMAIN.test(name) || name.length > LONGEST_SUBDOMAIN))
    report(
      path,
      `"${shown(name)}" is no valid name: lower-case letters, digits, dashes and dots, at most ${LONGEST_SUBDOMAIN}, first and last a letter or digit.`,
    );
}

function checkContainer(
  container: JsonObject,
  path: Path,
  volumes: Set<string>,
  base: string,
  isBase: boolean,
  report: ReportAt,
): void {
  const { image, workingDir } = container;
  if (image === undefined || image === '') {
    if (!isBase && container['name'] !== RESULT_SIDECAR)
      report(
        path,
        `has no image. The input \`image\` is that of the base container alone.${didYouMean(textOf(container['name']) ?? '', [base])}`,
      );
  } else if (typeof image === 'string' && /\s/.test(image))
    report([...path, 'image'], `"${shown(image)}" is no image: it holds white space.`);
  checkAbsolute(workingDir, [...path, 'workingDir'], report);
  checkMounts(container, path, volumes, report);
  checkResources(objectOf(container['resources']), [...path, 'resources'], report);
  for (const [index, { name }] of objectsOf(container['env']).entries())
    if (typeof name === 'string' && name.includes('='))
      report(
        [...path, 'env', index, 'name'],
        `"${shown(name)}" cannot be the name of a variable: it must not hold a =.`,
      );
  for (const [index, port] of objectsOf(container['ports']).entries())
    for (const field of ['containerPort', 'hostPort']) {
      const number = port[field];
      // To the server no port of the host is the same as 0.
      if (field === 'hostPort' && number === 0) continue;
      if (typeof number === 'number' && !(Number.isInteger(number) && number > 0 && number <= MOST_PORT))
        report([...path, 'ports', index, field], `${shown(number)} is no port: from 1 to ${MOST_PORT}.`);
    }
}

function checkMounts(container: JsonObject, path: Path, volumes: Set<string>, report: ReportAt): void {
  for (const [index, mount] of objectsOf(container['volumeMounts']).entries()) {
    const where = [...path, 'volumeMounts', index];
    const { name, mountPath, subPath } = mount;
    if (typeof name === 'string' && name !== '' && !volumes.has(name))
      report([...where, 'name'], `there is no volume "${shown(name)}".${wayOut(name, [...volumes])}`);
    checkAbsolute(mountPath, [...where, 'mountPath'], report);
    if (typeof subPath === 'string' && (subPath.startsWith('/') || subPath.split('/').includes('..')))
      report([...where, 'subPath'], `expected a relative path without "..", found "${shown(subPath)}".`);
  }
}

/** On Linux, or on Windows. */
function checkAbsolute(value: Json | undefined, path: Path, report: ReportAt): void {
  if (typeof value === 'string' && value !== '' && !/^([A-Za-z]:)?[/\\]/.test(value))
    report(path, `expected an absolute path, found "${shown(value)}".`);
}

function wayOut(name: string, volumes: string[]): string {
  if (volumes.length === 0) return ' The pod has no volumes: add it to `volumes`.';
  return didYouMean(name, volumes) || ` There is ${volumes.join(', ')}.`;
}

/** Kubernetes' own resources of containers; all others have a domain before them. */
const CONTAINER_RESOURCE = /^(cpu|memory|ephemeral-storage|hugepages-.+)$/;

function checkResources(resources: JsonObject, path: Path, report: ReportAt): void {
  for (const side of ['requests', 'limits'])
    for (const [resource, quantity] of Object.entries(objectOf(resources[side])))
      if (typeof quantity === 'object') continue;
      else if (!resource.includes('/') && !CONTAINER_RESOURCE.test(resource))
        report(
          [...path, side, resource],
          `containers have no such resource: there are cpu, memory, ephemeral-storage, and what a vendor has under its domain, e.g. nvidia.com/gpu.${resource === 'gpu' ? '' : didYouMean(resource, ['cpu', 'memory', 'ephemeral-storage'])}`,
        );
      else if (!isQuantity(quantity))
        report(
          [...path, side, resource],
          `expected a quantity, e.g. 500m, 0.5, 512Mi or 1Gi; found "${shown(quantity)}".`,
        );
      else if (String(quantity).startsWith('-')) report([...path, side, resource], `${shown(quantity)} is negative.`);
  const [requests, limits] = [objectOf(resources['requests']), objectOf(resources['limits'])];
  for (const [resource, request] of Object.entries(requests)) {
    const limit = limits[resource];
    const [asked, most] = [quantityValue(request), quantityValue(limit ?? '')];
    if (asked !== undefined && most !== undefined && asked > most)
      report([...path, 'requests', resource], `${shown(request)} is more than the limit of ${shown(limit)}.`);
  }
}

const MOST_SHOWN = 80;

/** What was found, cut where it is long. */
function shown(value: Json | undefined): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value ?? null);
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}...` : text;
}
