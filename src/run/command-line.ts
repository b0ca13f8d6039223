import { looksSecret } from '../pod/secret-shapes.ts';

const LONGEST = 300;

/** @returns the words of a command as they could be typed into a shell, on one line, a script by its first line, what looks like a secret hidden, cut where it is long. */
export function commandLine(words: string[], secrets: string[] = []): string {
  const line = withoutSecrets(words, secrets).map(quoted).join(' ');
  if (line.length <= LONGEST) return line;
  // Cut where there is white space: half of a secret that only the runner knows would be shown.
  const start = line
    .slice(0, LONGEST)
    .replace(/\S{0,300}$/, '')
    .trimEnd();
  return `${start} ... (${line.length} characters)`;
}

/** Shorter ones would be found everywhere, and be told by that. */
const LEAST_SECRET = 4;

/** @returns a function that puts `***` for each of the secrets, and each line of one, that stands in a text */
export function hiding(secrets: string[]): (text: string) => string {
  const parts = new Set(secrets.flatMap(secret => [secret, ...secret.split(/[\r\n]+/)]));
  const longestFirst = [...parts]
    .filter(part => part.trim().length >= LEAST_SECRET)
    .sort((a, b) => b.length - a.length);
  // Of a secret file each line is one, and a pod can be a megabyte.
  const byStart = Map.groupBy(longestFirst, part => part.slice(0, LEAST_SECRET));
  return text => {
    if (!longestFirst.some(part => text.includes(part))) return text;
    // One pass: what is put in is not looked through again.
    let hidden = '';
    for (let at = 0; at < text.length; ) {
      const found = byStart.get(text.slice(at, at + LEAST_SECRET))?.find(part => text.startsWith(part, at));
      hidden += found === undefined ? text[at] : '***';
      at += found?.length ?? 1;
    }
    return hidden;
  };
}

/** @returns the words with `***` for what looks like a secret, be it a word, an option's value, or set within a script. */
export function withoutSecrets(words: string[], secrets: string[] = []): string[] {
  const hide = hiding(secrets);
  return words.map(hide).map((word, index) => {
    const [, option = '', value = ''] = /^(-{0,2}[\w-]+=)(.*)$/s.exec(word) ?? [];
    if (option !== '' && looksSecret(option.replace(/^-+|=$/g, ''), value)) return `${option}***`;
    const before = words[index - 1] ?? '';
    if (looksSecret(/^--?[\w-]+$/.test(before) ? before.replace(/^-+/, '') : '', word)) return '***';
    return withoutAssignedSecrets(word);
  });
}

/** A script sets variables and gives options itself: `export TOKEN=abc; curl --token=def`. */
function withoutAssignedSecrets(script: string): string {
  return script.replace(
    /(?<![\w-])(-{0,2}([\w-]+)=)("[^"]*"|'[^']*'|[^\s;&|"']+)/g,
    (whole, start: string, name: string, value: string) =>
      looksSecret(name, value.replace(/^["']|["']$/g, '')) ? `${start}***` : whole,
  );
}

function quoted(word: string): string {
  if (/^([\w@%+=:,./-]+=?(\*\*\*)?|\*\*\*)$/.test(word)) return word;
  const [first = '', ...more] = word.split(/[\r\n]+/).filter(line => line.trim() !== '');
  const line = `'${first.replaceAll("'", "'\\''")}'`;
  return more.length === 0 ? line : `${line} (and ${more.length} ${more.length === 1 ? 'line' : 'lines'} more)`;
}

/** Programs that take one word behind -c as what they are to do. */
const SHELL = /(^|\/)(sh|bash|dash|ash|zsh|ksh)$/;
/** What only a shell acts on: a word by itself, one with a place behind it, or two streams made one. */
const REDIRECT = /^\s*(\d?>>?|\||&&|\|\||<)(\s|$)|^\d?>>?[\w.~-]*\/[\w./-]*$|^\d?>&\d$/;

/**
 * What a command does not do as its author may think.
 * @returns sentences for the log, before the container runs
 */
export function commandHints(words: string[]): string[] {
  const [program = '', option = '', script = '', ...rest] = words;
  if (SHELL.test(program) && /^-[a-z]*c[a-z]*$/.test(option) && rest.length > 0 && !/\$/.test(script))
    return [
      `${program} ${option} runs one word, ${quoted(script)}: ${rest.map(quoted).join(' ')} only become${rest.length === 1 ? 's' : ''} $0${rest.length === 1 ? '' : ' and so on'}. Put the whole command into one word.`,
    ];
  const redirect = SHELL.test(program) ? undefined : words.slice(1).find(word => REDIRECT.test(word));
  if (redirect !== undefined)
    return [
      `${quoted(redirect)} is passed to ${program || 'the program'} as it is: redirects, pipes and && need a shell, e.g. cmds: [sh, -c], arguments: ["... ${redirect.replace(/"/g, '')}"].`,
    ];
  return [];
}
