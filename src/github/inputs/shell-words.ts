/** Why a text cannot be split into words. */
export class ShellWordsError extends Error {
  override name = 'ShellWordsError';
}

/**
 * Splits a text into words as a POSIX shell does (Shell Command Language 2.2, Quoting), and expands nothing.
 * Ours, for each of the packages that do this gets a plain case wrong [tried: shlex, shell-quote, shellwords-ts, argv-split, string-argv]: `"\$HOME"`, `a''b`, `$'a'`, `'it'\''s'`, or a line continued by a backslash.
 */
export function shellWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    const next = text.charAt(at + 1);
    if (char === '\\' && quote !== "'") {
      if (next === '') throw new ShellWordsError('a backslash at the end escapes nothing. Remove it, or double it');
      at++;
      // Between double quotes it is special only before what is special there; before a line end it continues the line.
      if (next !== '\n') word = (word ?? '') + (quote === '"' && !'$`"\\'.includes(next) ? `\\${next}` : next);
    } else if (quote !== '') {
      if (char === quote) quote = '';
      else word += char;
    } else if (char === "'" || char === '"') {
      quote = char;
      word ??= '';
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + char;
  }
  if (quote !== '') throw new ShellWordsError('a quotation mark is opened and never closed. Close it');
  if (word !== undefined) words.push(word);
  return words;
}
