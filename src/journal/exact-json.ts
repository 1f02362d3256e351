// JSON that gives back every number it was given: JSON itself turns those that are not finite into null.

/** Texts as `edit` leaves them. */
export function encodeExact(
  value: unknown,
  edit: (text: string) => string = (text) => text,
): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === 'string') return edit(part);
    return typeof part === 'number' && !Number.isFinite(part) ? { [TAG]: String(part) } : part;
  });
}

/** @throws SyntaxError */
export function decodeExact(text: string): unknown {
  // JSON.parse is typed `any`: nothing is known of it yet.
  return JSON.parse(text, (_, part: unknown) => numberTagged(part) ?? part) as unknown;
}

/** No state, event or setting has a single field of this name. */
const TAG = '$number';

function numberTagged(part: unknown): number | null {
  if (typeof part !== 'object' || part === null || !(TAG in part)) return null;
  return NUMBERS.get(part[TAG]) ?? null;
}

const NUMBERS: ReadonlyMap<unknown, number> = new Map([
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['NaN', Number.NaN],
]);
