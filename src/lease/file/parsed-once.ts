// Remembers what a file's content meant, for files that are read far more often than they change.

/** The most paths that are remembered; beyond them the oldest is forgotten and parsed anew. */
const PATHS_LIMIT = 256;

/** By content, not by time: a file that is overwritten within one tick of its clock looks unchanged. */
export class ParsedOnce<T> {
  readonly #parse: (content: string) => T;
  readonly #known = new Map<string, { readonly content: string; readonly value: T }>();

  constructor(parse: (content: string) => T) {
    this.#parse = parse;
  }

  parse(path: string, content: string): T {
    const known = this.#known.get(path);
    if (known?.content === content) return known.value;
    const value = this.#parse(content);
    this.#known.delete(path);
    this.#known.set(path, { content: alone(content), value });
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= PATHS_LIMIT) break;
      this.#known.delete(oldest);
    }
    return value;
  }
}

/** A part of a text keeps all of it, also the padding of a page. */
function alone(text: string): string {
  return Buffer.from(text).toString();
}
