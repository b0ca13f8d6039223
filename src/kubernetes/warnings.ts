/** @returns the texts of `Warning: 299 - "text"` headers (RFC 7234, 5.5), which a server may join with commas. */
export function warningsOf(header: string | string[] | undefined): string[] {
  return [header ?? []]
    .flat()
    .flatMap(value =>
      [...value.matchAll(/\b299 \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => text.replace(/\\(.)/g, '$1')),
    );
}
