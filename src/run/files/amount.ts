const UNITS = ['KiB', 'MiB', 'GiB', 'TiB'];

/** @returns an amount of bytes for people: `812 bytes`, `4.2 MiB`, `128 MiB`. */
export function amount(bytes: number): string {
  if (bytes < 1024) return `${bytes} ${bytes === 1 ? 'byte' : 'bytes'}`;
  let [value, unit] = [bytes / 1024, 0];
  while (value >= 1023.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}
