import type { Json } from './json.ts';

/** A quantity, as apimachinery's resource.Quantity reads it: a number with an optional binary or decimal suffix. */
const QUANTITY = /^[+-]?([0-9]+|[0-9]+\.[0-9]*|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$/;

export function isQuantity(value: Json): boolean {
  return QUANTITY.test(String(value));
}

/** Powers of ten, and of two. */
const DECIMAL: Record<string, number> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const BINARY: Record<string, number> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };
/** Enough for a nano with nine decimals; what has more is rounded by the server itself. */
const SCALE = 18;

/** @returns a quantity as a count of 10^-18, exactly, for 0.7 is 700m; `undefined` for what is none. */
export function quantityValue(quantity: Json): bigint | undefined {
  const text = String(quantity);
  if (!QUANTITY.test(text)) return undefined;
  const [, sign, whole = '', decimals = '', suffix = ''] = /^([+-]?)([0-9]*)\.?([0-9]*)(.*)$/.exec(text) ?? [];
  const power = DECIMAL[suffix] ?? (suffix in BINARY ? 0 : Number(suffix.slice(1)));
  const zeros = SCALE + power - decimals.length;
  // Beyond what any node has, or below what the server tells apart.
  if (Math.abs(zeros) > 100) return undefined;
  const digits = BigInt(`${sign}${whole}${decimals}${'0'.repeat(Math.max(0, zeros))}` || '0');
  return (digits << BigInt(BINARY[suffix] ?? 0)) / 10n ** BigInt(Math.max(0, -zeros));
}

/** @returns a quantity as a number, such as of bytes; `undefined` for what is none */
export function quantityBytes(quantity: Json): number | undefined {
  const value = quantityValue(quantity);
  return value === undefined ? undefined : Number(value / 10n ** BigInt(SCALE));
}
