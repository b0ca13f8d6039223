import { numberOrBoolean, parseYamlDocuments, Scalar, type Tree, YamlError } from '../../github/yaml.ts';
import { hash } from '../naming.ts';
import { TemplateInterpreter } from './interpreter.ts';
import { Environment, runtimeValue } from './jinja.ts';
import { limitOf } from './limits.ts';
import { Marks, markedDollars, type Place } from './marks.ts';
import { programOf } from './program.ts';
import { cutTemplate, type Problem } from './source.ts';

/** What JSON can hold. */
export type TemplateValue = string | number | boolean | null | TemplateValue[] | { [key: string]: TemplateValue };

export type TemplateVariables = { [name: string]: TemplateValue };

/** Larger than any object that the API server would take. */
const LONGEST_TEMPLATE = 2 ** 20;
/** Aliases can repeat a long value without end. */
const MOST_CHARACTERS = 16 * 2 ** 20;

const CONSTANTS = { true: true, false: false, none: null, True: true, False: false, None: null };

/**
 * Renders a pod template with Jinja and reads it as YAML, so that values are data: the fields come from the template's own text and from its `{% %}` alone.
 * To that end `{{ }}` leaves but a mark in the text. The YAML is read with the marks in it, and the values take their places in the scalars afterwards; whatever a value holds, it cannot add, remove or rename a field.
 * A plain scalar is a number or a boolean where it then reads so, else text; a quoted one and a block is text.
 * @param file the template's name, for the problems
 */
export function renderTemplate(
  text: string,
  file: string,
  variables: TemplateVariables,
): { documents: Tree[]; problems: string[] } {
  const { documents, problems } = render(text, variables);
  return {
    documents: problems.length > 0 ? [] : documents,
    problems: problems
      .sort((one, other) => (one.line ?? 0) - (other.line ?? 0))
      .map(({ line, column, sentence }) => {
        const place = [file, line && `line ${line}`, column && `column ${column}`].filter(Boolean).join(', ');
        return `pod_template_file (${place}): ${sentence}`;
      }),
  };
}

function render(template: string, variables: TemplateVariables): { documents: Tree[]; problems: Problem[] } {
  const failed = (...problems: Problem[]) => ({ documents: [], problems });
  if (template.length > LONGEST_TEMPLATE)
    return failed({
      line: undefined,
      sentence: `a template has at most ${LONGEST_TEMPLATE} characters; this has ${template.length}.`,
    });
  const { pieces, problems } = cutTemplate(template);
  if (problems.length > 0) return failed(...problems);
  try {
    const marks = new Marks(hash(JSON.stringify([template, variables]), 24));
    const { program, tags } = programOf(pieces, marks);
    const environment = environmentOf(variables);
    const interpreter = new TemplateInterpreter(environment, tags, marks);
    const rendered = interpreter.render(program, environment);
    if (!interpreter.isWhole) return failed(...interpreter.problems);
    const read = readRendered(template, rendered, interpreter, marks);
    return { documents: read.documents, problems: [...interpreter.problems, ...read.problems] };
  } catch (error) {
    const limit = limitOf(error);
    if (limit === undefined) throw error;
    return failed({ line: undefined, sentence: limit.message });
  }
}

/** The library puts its own `namespace` into each scope: only in an outer one can a variable have that name. */
function environmentOf(variables: TemplateVariables): Environment {
  const outer = new Environment();
  for (const [name, value] of Object.entries({ ...variables, ...CONSTANTS }))
    outer.setVariable(name, runtimeValue(value));
  return new Environment(outer);
}

function readRendered(
  template: string,
  rendered: string,
  { values, tagOfValue }: TemplateInterpreter,
  marks: Marks,
): { documents: Tree[]; problems: Problem[] } {
  const problems: Problem[] = [];
  const { text, placeAt } = marks.withoutLines(rendered, index => tagOfValue[index]?.line ?? 1);
  const refuse = (found: string, why: string) => {
    for (const index of marks.valuesIn(found)) {
      const tag = tagOfValue[index];
      problems.push({ line: tag?.line, sentence: `${tag?.text} ${why}` });
    }
  };
  try {
    const documents = parseYamlDocuments(text, {
      see: ({ text = '', anchor, tag, isKey }) => {
        if (isKey)
          refuse(
            text,
            "is in a field's name. Values do not name fields: write the name out, with {% if %} where it depends on something.",
          );
        if (tag !== '' && tag !== '!!str')
          refuse(text, 'has a YAML tag (!) before it. Quotes make it text, no quotes a number where it is one.');
        refuse(anchor + tag, 'is in the name of an anchor, an alias or a tag. Write the name out.');
      },
      read: (scalar, isPlain) => {
        if (marks.valuesIn(scalar).length === 0) return undefined;
        const filled = marks.filled(scalar, values.map(markedDollars));
        return (isPlain ? finite(numberOrBoolean(filled)) : undefined) ?? filled;
      },
    });
    if (lengthOf(documents) > MOST_CHARACTERS)
      problems.push({ line: undefined, sentence: `it makes more than ${MOST_CHARACTERS} characters of text.` });
    return { documents, problems };
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    // A value in the wrong place is the cause, where there is one.
    if (problems.length === 0) problems.push(yamlProblem(error, template, text, placeAt));
    return { documents: [], problems };
  }
}

/** JSON has no infinity: it becomes null, which takes a field away. */
function finite(scalar: Scalar | undefined): Scalar | undefined {
  return typeof scalar?.value === 'number' && !Number.isFinite(scalar.value) ? undefined : scalar;
}

function yamlProblem(
  { reason, offset }: YamlError,
  template: string,
  text: string,
  placeAt: (offset: number) => Place,
): Problem {
  if (offset === undefined) return { line: undefined, sentence: `this is not valid YAML: ${reason}.` };
  const { line, offset: start } = placeAt(offset);
  const before = text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset);
  // Behind a value or a tag the column is another one than in the template.
  const isSame = !text.slice(start, offset).includes('\n') && template.split('\n')[line - 1]?.startsWith(before);
  return { line, ...(isSame && { column: before.length + 1 }), sentence: `this is not valid YAML: ${reason}.` };
}

function lengthOf(tree: Tree): number {
  if (typeof tree === 'string') return tree.length;
  if (tree instanceof Scalar) return tree.source.length;
  return Object.values(tree).reduce<number>((sum, child) => sum + lengthOf(child), 0);
}
