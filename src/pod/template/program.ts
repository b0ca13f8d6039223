import { type Node, parse, type Token } from './jinja.ts';
import type { Marks } from './marks.ts';
import type { Piece, Tag } from './source.ts';
import { bracketed } from './tags.ts';

/** Names that no template can write: Jinja's are ASCII. `PLACE(tag)` says which tag runs, `VALUE(tag, x)` is what becomes of `{{ x }}`. */
export const PLACE = '\uFDD0place';
export const VALUE = '\uFDD0value';

/** @returns the parsed template, in which every tag tells which one it is: nodes know neither their tag nor their line. */
export function programOf(pieces: readonly Piece[], marks: Marks): { program: Node; tags: Tag[] } {
  const tags: Tag[] = [];
  const tokens = pieces.flatMap((piece): Token[] => {
    if (piece.kind === 'text') return [{ value: marks.lines(piece.text, piece.line), type: 'Text' }];
    const place = tags.push(piece) - 1;
    if (piece.kind === 'expression') return bracketed(piece, call(VALUE, place, piece.tokens));
    const [name, ...rest] = piece.tokens;
    if (name?.value === 'elif') return bracketed(piece, [name, ...call(PLACE, place, rest)]);
    const tag = bracketed(piece, piece.tokens);
    const isMiddle = name?.value === 'else' || name?.value.startsWith('end');
    return isMiddle ? tag : [...bracketed({ ...piece, kind: 'expression' }, call(PLACE, place, [])), ...tag];
  });
  return { program: parse(tokens), tags };
}

function call(name: string, place: number, argument: Token[]): Token[] {
  return [
    { value: name, type: 'Identifier' },
    { value: '(', type: 'OpenParen' },
    { value: String(place), type: 'NumericLiteral' },
    ...(argument.length === 0 ? [] : [{ value: ',', type: 'Comma' }]),
    ...argument,
    { value: ')', type: 'CloseParen' },
  ];
}
