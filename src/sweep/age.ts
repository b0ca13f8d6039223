import { inWords } from '../run/durations.ts';

/** @returns as {@link inWords}, and whole days from two days on: what is swept can be old. */
export function ageInWords(seconds: number): string {
  return seconds < 2 * 86_400 ? inWords(seconds) : `${Math.floor(seconds / 86_400)} d`;
}
