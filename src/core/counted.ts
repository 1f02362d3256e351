// A number and its noun, as a person writes them.

/** `1 restart`, `2 restarts`. For nouns whose plural ends in an s. */
export function counted(count: number, noun: string): string {
  return `${String(count)} ${plural(count, noun)}`;
}

/** The noun alone, in the form that fits the number. */
export function plural(count: number, noun: string): string {
  return count === 1 ? noun : `${noun}s`;
}
