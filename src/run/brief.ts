import { plainText } from '../github/terminal.ts';

/** In characters: what a node or a registry says can be pages long, and GitHub cuts an annotation at 4,096. */
const LONGEST = 500;

/** What turns the order of the text around it, or ends its line without being a line break. */
const STEERING = /[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * @param text of the cluster's, of a registry's or of a container's: anything
 * @returns the same on one line, of a long one the beginning, without what could steer a terminal or the reader's eye, and without the queries of URLs: those to where images are stored are signed there
 */
export function brief(text: string): string {
  const line = plainText(text)
    .trim()
    .replace(STEERING, unseen => `\\u${unseen.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .replace(/\s+/g, ' ')
    .replace(/(https?:\/\/[^\s"'?]+)\?[^\s"']*/g, '$1?…');
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}
