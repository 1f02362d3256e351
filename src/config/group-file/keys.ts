// Which words a file of groups may have where, all from the table of options.
import { OPTIONS, optionOf } from '../options.ts';
import type { OptionSpec } from '../options.ts';
import { NOT_OF_UP, PROCESS_KEYS } from '../up-options.ts';

/** What is said of the process beside its groups. */
export const PROCESS_OPTIONS: readonly OptionSpec[] = PROCESS_KEYS.map(optionOf);

/** What is said of each group, and in `defaults` of all; beside them stands `command`. */
export const GROUP_OPTIONS: readonly OptionSpec[] = OPTIONS.filter(
  ({ key }) => !NOT_OF_UP.includes(key) && !isOfProcess(key),
);

export const GROUP_WORDS: readonly string[] = ['command', ...GROUP_OPTIONS.map(({ key }) => key)];

export const FILE_WORDS: readonly string[] = [
  ...['groups', 'defaults', 'variables'],
  ...PROCESS_OPTIONS.map(({ key }) => key),
];

export const GROUPS_LIMIT = 10_000;

function isOfProcess(key: string): boolean {
  return PROCESS_KEYS.some((candidate) => candidate === key);
}

/** The word that was most likely meant; null: none is near. */
export function nearest(word: string, words: readonly string[]): string | null {
  let best: string | null = null;
  let bestDistance = Math.min(3, Math.ceil(word.length / 2));
  for (const candidate of words) {
    const distance = distanceBetween(plain(word), plain(candidate));
    if (distance >= bestDistance) continue;
    [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** As a flag it is written with hyphens, as a variable with underscores. */
function plain(word: string): string {
  return word.slice(0, 64).toLowerCase().replaceAll(/[-_]/g, '');
}

/** How many letters have to be changed, added or left out (Levenshtein). */
function distanceBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 0; i < a.length; i += 1) {
    const next = [i + 1];
    for (let j = 1; j <= b.length; j += 1) {
      const changed = (row[j - 1] ?? 0) + (b[j - 1] === a[i] ? 0 : 1);
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
