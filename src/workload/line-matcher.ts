// Finds a line of a byte stream that matches, in bounded memory.

/** The longest part of a line that is looked at, bytes. */
export const LINE_LIMIT_BYTES: number = 64 * 1024;

/**
 * Collects bytes into lines and calls back once, at the first line that matches. A line longer than the
 * limit is matched by its beginning; a last line without its newline is not looked at.
 */
export class LineMatcher {
  readonly #pattern: RegExp;
  readonly #onMatch: () => void;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #matched = false;

  constructor(pattern: RegExp, onMatch: () => void) {
    this.#pattern = pattern;
    this.#onMatch = onMatch;
  }

  push(chunk: Buffer): void {
    let from = 0;
    while (!this.#matched) {
      const newline = chunk.indexOf(NEWLINE, from);
      if (newline < 0) {
        this.#keep(chunk.subarray(from));
        return;
      }
      if (this.#pendingBytes === 0) {
        // Most lines are whole within a chunk: no copy of their bytes.
        const end = Math.min(newline, from + LINE_LIMIT_BYTES);
        this.#look(chunk.toString('utf8', from, end));
      } else {
        this.#keep(chunk.subarray(from, newline));
        this.#look(Buffer.concat(this.#pending).toString('utf8'));
        this.#pending = [];
        this.#pendingBytes = 0;
      }
      from = newline + 1;
    }
  }

  /** Keeps a copy of what still fits: the chunk's memory is far larger than a piece of line. */
  #keep(part: Buffer): void {
    const room = LINE_LIMIT_BYTES - this.#pendingBytes;
    if (room <= 0 || part.length === 0) return;
    const kept = Buffer.from(part.subarray(0, room));
    this.#pending.push(kept);
    this.#pendingBytes += kept.length;
  }

  #look(line: string): void {
    if (!this.#pattern.test(line.endsWith('\r') ? line.slice(0, -1) : line)) return;
    this.#matched = true;
    this.#pending = [];
    this.#onMatch();
  }
}

const NEWLINE = 0x0a;
