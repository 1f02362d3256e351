// Reads a file that may not be there yet.
import { readFileSync } from 'node:fs';

/** '' while there is none. */
export function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
