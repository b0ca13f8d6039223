/** @returns a whole number with its thousands set apart: `5,242,880`. */
export function grouped(number: number): string {
  return number.toLocaleString('en-US');
}

/** @returns `1 byte`, or `5,242,880 bytes`. */
export function inBytes(bytes: number): string {
  return counted(bytes, 'byte');
}

/** @returns e.g. `20,000 files` */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}
