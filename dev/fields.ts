/**
 * Writes src/pod/fields.ts: the API's own names and types of every field that a pod can have, from client-node's models.
 *   node dev/fields.ts           writes it
 *   node dev/fields.ts --check   fails if it is not what the models give
 * The models themselves would add a megabyte to dist/, for what is a table of 15 KB.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const MODELS = join(ROOT, 'node_modules', '@kubernetes', 'client-node', 'dist', 'gen', 'models');
const TABLE = join(ROOT, 'src', 'pod', 'fields.ts');
/** As biome.json has it. */
const LONGEST_LINE = 120;
/** What the cluster writes, not the user. */
const NOT_FOR_USERS = new Set(['V1PodStatus', 'V1ManagedFieldsEntry']);

interface Attribute {
  name: string;
  baseName: string;
  type: string;
}

/** A type as the table writes it: `string`, `V1Volume`, `[V1Volume]` for a list, `{string}` for a mapping with keys of the user's. */
function typeName(type: string): string {
  const list = /^Array<(.+)>$/.exec(type)?.[1];
  if (list) return `[${typeName(list)}]`;
  const mapping = /^\{ \[key: string\]: (.+); \}$/.exec(type)?.[1];
  if (mapping) return `{${typeName(mapping)}}`;
  return type === 'Date' || type === 'V1MicroTime' ? 'string' : type;
}

async function readModel(model: string): Promise<string[]> {
  const module = (await import(join(MODELS, `${model}.js`))) as Record<string, { attributeTypeMap: Attribute[] }>;
  const declarations = await readFile(join(MODELS, `${model}.d.ts`), 'utf8');
  return (module[model]?.attributeTypeMap ?? []).map(({ name, baseName, type }) => {
    const required = new RegExp(`^\\s*'${name}': `, 'm').test(declarations);
    const written = NOT_FOR_USERS.has(type.replace(/^Array<|>$/g, '')) ? 'any' : typeName(type);
    return `${baseName}${required ? '!' : ''}:${written}`;
  });
}

const table = new Map<string, string[]>();
const wanted = ['V1Pod'];
for (let model = wanted.pop(); model !== undefined; model = wanted.pop()) {
  if (table.has(model)) continue;
  const fields = await readModel(model);
  table.set(model, fields);
  wanted.push(...fields.flatMap(field => /\b(?:Core)?V1\w+/.exec(field.split(':')[1] ?? '')?.[0] ?? []));
}

/** A line as the formatter leaves it. */
function entry(model: string, fields: string): string {
  const line = `  ${model}: ${fields}`;
  return line.length <= LONGEST_LINE ? line : `  ${model}:\n    ${fields}`;
}

const lines = [...table]
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([model, fields]) => entry(model, `'${fields.join(' ')}',`));
const text = `// Written by dev/fields.ts from @kubernetes/client-node's models; not to be edited.

/** The fields of each model below V1Pod, as \`name:type\`; \`!\` marks those that Kubernetes requires, \`[T]\` is a list, \`{T}\` a mapping whose keys are the user's. */
export const FIELDS: Record<string, string> = {
${lines.join('\n')}
};
`;

if (process.argv.includes('--check')) {
  if ((await readFile(TABLE, 'utf8')) !== text) {
    process.stderr.write('src/pod/fields.ts is not what the models give. Run: node dev/fields.ts\n');
    process.exitCode = 1;
  }
} else await writeFile(TABLE, text);
