import { didYouMean } from '../../github/inputs/reader.ts';
import { parse, type Token, tokenize } from './jinja.ts';
import type { Piece, Problem, Tag } from './source.ts';

/** The tags that open something, and what closes it. */
const CLOSED_BY: Record<string, string> = {
  if: 'endif',
  for: 'endfor',
  macro: 'endmacro',
  call: 'endcall',
  set: 'endset',
};
const STATEMENTS = [...Object.keys(CLOSED_BY), ...Object.values(CLOSED_BY), 'elif', 'else', 'raw'];

/** Puts the tokens of `inner` into the tag. @returns what is wrong with it */
export function readTag(tag: Tag, inner: string): string | undefined {
  const name = /^\w*/.exec(inner)?.[0] ?? '';
  if (tag.kind === 'statement' && !STATEMENTS.includes(name)) {
    if (name === 'filter' || name === 'endfilter')
      return `there is no tag {% ${name} %} here. Put the filter into the expression: {{ value | upper }}.`;
    return `${tag.text}: there is no such tag.${didYouMean(name, STATEMENTS)}`;
  }
  const open = tag.kind === 'expression' ? '{{' : '{%';
  const close = tag.kind === 'expression' ? '}}' : '%}';
  try {
    const tokens = tokenize(`${open} ${inner} ${close}`);
    tag.tokens = withDefault(tokens.slice(1, -1));
    const isWhole = tokens[0]?.value === open && tokens.at(-1)?.value === close;
    const isOne = !tag.tokens.some(({ type }) =>
      /^(Text|Comment|Open(Statement|Expression)|Close(Statement|Expression))$/.test(type),
    );
    if (isWhole && isOne && canBeParsed(tag, name)) return undefined;
  } catch (error) {
    const unexpected = /^Unexpected character: (.)/u.exec(error instanceof Error ? error.message : '')?.[1];
    if (unexpected !== undefined) return `${tag.text} cannot be read: ${unexpected} is not expected there.`;
  }
  return `${tag.text} cannot be read as Jinja.`;
}

/** The library knows `default` with brackets behind it only, and not its short name. */
function withDefault(tokens: Token[]): Token[] {
  return tokens.flatMap((token, index) => {
    const isDefault =
      tokens[index - 1]?.type === 'Pipe' && token.type === 'Identifier' && /^(default|d)$/.test(token.value);
    if (!isDefault) return [token];
    const name = { ...token, value: 'default' };
    return tokens[index + 1]?.type === 'OpenParen' ? [name] : [name, ...PARENTHESES];
  });
}

const PARENTHESES: Token[] = [
  { value: '(', type: 'OpenParen' },
  { value: ')', type: 'CloseParen' },
];

/** @returns the tag as the library's parser takes it. */
export function bracketed({ kind }: Tag, tokens: Token[]): Token[] {
  const type = kind === 'expression' ? 'Expression' : 'Statement';
  return [
    { value: kind === 'expression' ? '{{' : '{%', type: `Open${type}` },
    ...tokens,
    { value: kind === 'expression' ? '}}' : '%}', type: `Close${type}` },
  ];
}

/** Parses the tag by itself, so that what is wrong is known to be in this one. */
function canBeParsed(tag: Tag, name: string): boolean {
  if (tag.kind === 'expression') return parsed(bracketed(tag, tag.tokens));
  if (name === 'else' || name.startsWith('end')) return tag.tokens.length === 1;
  if (isBlockSet(tag) && !tag.tokens.slice(1).every(({ type }) => type === 'Identifier' || type === 'Dot'))
    return false;
  const [first, ...rest] = tag.tokens;
  const tokens = name === 'elif' && first !== undefined ? [{ ...first, value: 'if' }, ...rest] : tag.tokens;
  const closing = name === 'set' && !isBlockSet(tag) ? '' : `{% ${CLOSED_BY[name] ?? 'endif'} %}`;
  return parsed([...bracketed(tag, tokens), ...tokenize(closing)]);
}

function parsed(tokens: Token[]): boolean {
  parse(tokens);
  return true;
}

/** Whether the tag is `{% set x %}`, which captures what stands up to `{% endset %}`. */
function isBlockSet(tag: Tag): boolean {
  return tag.tokens[0]?.value === 'set' && !tag.tokens.some(({ type }) => type === 'Equals');
}

/** Checks that what is opened is closed: the library's parser runs over the end. */
export function checkBlocks(pieces: Piece[], problems: Problem[]): void {
  const open: { name: string; tag: Tag; hasElse: boolean }[] = [];
  for (const tag of pieces) {
    if (tag.kind !== 'statement') continue;
    const name = tag.tokens[0]?.value ?? '';
    const block = open.at(-1);
    if (name === 'else' || name === 'elif') {
      const fits = block?.name === 'if' || (block?.name === 'for' && name === 'else');
      if (!fits || block.hasElse)
        problems.push({
          line: tag.line,
          sentence: `${tag.text} belongs to no {% if %}${name === 'else' ? ' or {% for %}' : ''}.`,
        });
      else block.hasElse = name === 'else';
    } else if (name.startsWith('end')) {
      if (block !== undefined && CLOSED_BY[block.name] === name) {
        open.pop();
        continue;
      }
      const instead = block === undefined ? 'nothing is open' : `${block.tag.text} of line ${block.tag.line} is open`;
      problems.push({ line: tag.line, sentence: `${tag.text} closes nothing: ${instead}.` });
      return;
    } else if (name !== 'set' || isBlockSet(tag)) open.push({ name, tag, hasElse: false });
  }
  for (const { name, tag } of open)
    problems.push({ line: tag.line, sentence: `${tag.text} is never closed: {% ${CLOSED_BY[name]} %} is missing.` });
}
