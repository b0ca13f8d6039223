import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/** Far more than any file that is read here has. */
const MOST_BYTES = 64 * 2 ** 20;

/**
 * Reads a file whose path comes from an input: a pipe would be waited for until the runner kills the process, and a device has no end.
 * @throws Error with the system's `code`, or a sentence where it is no file, or too large
 */
export function readRegularFile(path: string): string {
  const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const stats = fstatSync(file);
    const { size } = stats;
    if (stats.isDirectory()) throw Object.assign(new Error('it is a folder'), { code: 'EISDIR' });
    if (!stats.isFile()) throw new Error('it is no regular file');
    if (size > MOST_BYTES) throw new Error(`it has ${size} bytes, more than the ${MOST_BYTES} that are read`);
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}

/**
 * @param error what {@link readRegularFile} has thrown
 * @returns a sentence for whoever has named the file in an input
 */
export function whyUnread(file: string, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const why = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : message;
  const hint = code === 'ENOENT' ? ' Is the repository checked out (actions/checkout)?' : '';
  return `${file} cannot be read: ${why}. Paths are those of the workspace.${hint}`;
}
