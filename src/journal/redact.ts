// What a journal leaves out: command lines, in which people put secrets.

/**
 * A text with each process described by its pid and program alone. The same for a text and for one that it
 * became a part of, so that a decision can be compared with what was recorded of it.
 */
export function withoutArguments(text: string): string {
  return text.includes('pid ') ? text.replaceAll(DESCRIPTION, '$1 …)') : text;
}

/** As `describeProcess` writes it (`src/fence/process-view.ts`); one without arguments stays as it is. */
const DESCRIPTION = /(pid \d+ \([^\s()]*)\s[^()]*\)/g;
