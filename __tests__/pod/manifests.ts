import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseYamlDocuments } from '../../src/github/yaml.ts';
import { conform } from '../../src/pod/conform.ts';
import type { JsonObject } from '../../src/pod/json.ts';

/** The pods of manifests.yaml by their names, as our own reader takes them. */
export const manifests: [name: string, pod: JsonObject][] = parseYamlDocuments(
  readFileSync(join(import.meta.dirname, 'manifests.yaml'), 'utf8'),
).map(tree => {
  const pod = conform(tree, 'V1Pod', (path, sentence) => {
    throw new Error(`manifests.yaml: ${path}: ${sentence}`);
  }) as JsonObject;
  return [String((pod['metadata'] as JsonObject)['name']), { apiVersion: 'v1', kind: 'Pod', ...pod }];
});
