/** What the job log shows instead of secrets (actions/runner, src/Sdk/DTLogging/Logging/SecretMasker.cs and ValueEncoders.cs). */
export class SecretMasker {
  readonly #values = new Set<string>();

  /** A whole value, each of its trimmed non-empty lines, and the encodings of each (Worker.cs InitializeSecretMasker, AddMaskCommandExtension). */
  add(secret: string): void {
    for (const part of [secret, ...secret.split(/[\r\n]/).map(line => line.trim())]) {
      if (part.trim() === '') continue;
      for (const value of [part, ...encodings(part)]) this.#values.add(value);
    }
  }

  /** Only this value, as ActionCommandManager does with a stop token. */
  addToken(token: string): void {
    this.#values.add(token);
  }

  get values(): string[] {
    return [...this.#values];
  }

  /** Overlapping and touching secrets become a single `***`. */
  mask(text: string): string {
    const spans = this.values.flatMap(value => occurrences(text, value)).sort((a, b) => a.start - b.start);
    let result = '';
    let shownUpTo = 0;
    let end = -1;
    for (const span of spans) {
      if (span.start > end) {
        result += `${text.slice(shownUpTo, span.start)}***`;
      }
      end = Math.max(end, span.end);
      shownUpTo = end;
    }
    return result + text.slice(shownUpTo);
  }
}

function occurrences(text: string, value: string): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = [];
  for (let start = text.indexOf(value); start >= 0; start = text.indexOf(value, start + 1)) {
    found.push({ start, end: start + value.length });
  }
  return found;
}

/** Of the runner's ten encodings the four a step is likely to print: base64 at its three alignments, JSON, URI and XML. */
function encodings(value: string): string[] {
  const bytes = Buffer.from(value);
  const base64 = [0, 1, 2].filter(shift => bytes.length > shift).map(shift => bytes.subarray(shift).toString('base64'));
  const xml = value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&apos;');
  return [...base64, JSON.stringify(value).slice(1, -1), encodeURIComponent(value.toWellFormed()), xml].filter(
    encoded => encoded !== value,
  );
}
