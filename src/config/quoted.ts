// A value as a message shows it.

/** Cut where it is so long that what is said of it would not be seen. */
export function shortened(text: string): string {
  return text.length > LIMIT ? `${text.slice(0, LIMIT)}…` : text;
}

/** The same in double quotes. */
export function quoted(text: string): string {
  return `"${shortened(text)}"`;
}

/** Characters. */
const LIMIT = 120;
