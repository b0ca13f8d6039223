import type { Parts } from '../planned.ts';

/**
 * The text of an input, or several inputs that belong together, and the exact parts of the pod that result beside those of `image`.
 * @param beside other inputs without which this one means nothing
 */
export type Row = [text: string | Record<string, string>, parts: Parts, beside?: Record<string, string>];
export type Rows = Record<string, Row[]>;
