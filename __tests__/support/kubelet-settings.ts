import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { restart, untilReady } from '../../dev/cluster/index.ts';
import { placesOf } from '../../dev/cluster/places.ts';

/**
 * Starts the kubelet of a one-node cluster again with settings that win over its own, until it is called again.
 * @param more fields of KubeletConfiguration; none for its own settings
 */
export async function withKubeletSettings(name: string, more: object): Promise<void> {
  const file = join(placesOf(name).state, 'configuration/kubelet.json');
  const own = `${file}.own`;
  if (!existsSync(own)) writeFileSync(own, readFileSync(file));
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(own, 'utf8')), ...more }, null, 2));
  await restart(name, 'kubelet');
  await untilReady(name);
}
