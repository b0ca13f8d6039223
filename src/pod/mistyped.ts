import { distance } from 'fastest-levenshtein';

/**
 * Whether `key` can hardly be anything but `name` with a slip in it: another case or number, or a letter or two that are wrong, missing or swapped.
 * It is strict, for a field that is newer than our table may look much like one that we know: of all fields that Kubernetes has now, none would be taken for one of its neighbours.
 */
export function isMistyped(key: string, name: string): boolean {
  const [written, meant] = [key.toLowerCase().replace(/[-_]/g, ''), name.toLowerCase()];
  const { length } = meant;
  if (written === meant || (length > 1 && (`${written}s` === meant || written === `${meant}s`))) return true;
  const slips = swapped(written, meant) ? 1 : distance(written, meant);
  return slips <= (length < 4 ? 0 : 1) || (slips <= 2 && length >= 8 && written[0] === meant[0]);
}

/** Whether two neighbouring letters changed places: one slip, not two. */
function swapped(written: string, meant: string): boolean {
  const at = [...meant].findIndex((letter, index) => letter !== written[index]);
  const back = `${meant[at + 1]}${meant[at]}`;
  return at !== -1 && `${meant.slice(0, at)}${back}${meant.slice(at + 2)}` === written;
}
