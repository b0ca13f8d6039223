import { createHash } from 'node:crypto';

/** A pod's name is also its host name, which is why the longer names that the API would take are of no use. */
const LONGEST_NAME = 63;
const LONGEST_LABEL = 63;
const SUFFIX = 8;
/** Of a text of 100,000 dashes the rest is not worth the time: the hash is of the whole. */
const MOST_READ = 300;

/**
 * @returns `text` as a DNS-1123 label: what Kubernetes does not take becomes a dash. A name too long is cut, and then ends in a hash of the whole, so that two long names with one beginning stay two.
 * @param longest length to keep to
 */
export function dnsLabel(text: string, longest = LONGEST_NAME): string {
  const label = text
    .slice(0, MOST_READ)
    .toLowerCase()
    // Dashes that were meant stay; what is not a dash and its neighbourhood become one.
    .replace(/-*[^a-z0-9-][^a-z0-9]*/g, '-')
    .replace(/^-+|-+$/g, '');
  if (label === '') return text === '' ? '' : `x${hash(text, SUFFIX - 1)}`;
  if (label.length <= longest && text.length <= MOST_READ) return label;
  return `${label.slice(0, longest - SUFFIX - 1).replace(/-+$/, '')}-${hash(text, SUFFIX)}`;
}

/**
 * The pod's name.
 * @param uniqueness what sets this pod apart from every other, so the nonce at least; absent: the name is used as it is
 */
export function podName(name: string, uniqueness: string | undefined): string {
  if (uniqueness === undefined) return dnsLabel(name);
  const suffix = hash(uniqueness, SUFFIX);
  return [dnsLabel(name, LONGEST_NAME - SUFFIX - 1), suffix].filter(part => part !== '').join('-');
}

/** @returns `text` as a label's value. Where something is lost it ends in a hash of the whole. */
export function labelValue(text: string): string {
  const value = text
    .slice(0, MOST_READ)
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[._-]+|[._-]+$/g, '');
  if (value === text && value.length <= LONGEST_LABEL) return value;
  return `${value.slice(0, LONGEST_LABEL - SUFFIX - 1)}-${hash(text, SUFFIX)}`.replace(/^[._-]+/, '');
}

/** @returns `length` characters of lower-case letters and digits, the first a letter so that any of it can begin a name. */
export function hash(text: string, length: number): string {
  const digest = createHash('sha256').update(text).digest();
  return Array.from(
    digest.subarray(0, length),
    (byte, index) => 'abcdefghijklmnopqrstuvwxyz0123456789'[byte % (index === 0 ? 26 : 36)],
  ).join('');
}
