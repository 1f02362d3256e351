// Whether two values of a message say the same.

/** Of plain values, and of lists and objects of them. What lies deeper counts as the same where it is the same value. */
export function isAlike<T>(a: T, b: T): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b) && a.length !== b.length) return false;
  for (const key in b) if (a[key as keyof T] !== b[key as keyof T]) return false;
  for (const key in a) if (!(key in b)) return false;
  return true;
}
