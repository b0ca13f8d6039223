/** How the benchmarks show what they have measured. */

export const say = (line: string): void => void process.stdout.write(`${line}\n`);

export function heading(title: string): string {
  return `${title.padEnd(60)}${['min', 'median', 'max'].map(name => name.padStart(10)).join('')}`;
}

export function row(name: string, values: number[], digits = 2): string {
  const figures = [Math.min(...values), median(values), Math.max(...values)];
  return `${name.padEnd(60)}${figures.map(value => value.toFixed(digits).padStart(10)).join('')}`;
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
