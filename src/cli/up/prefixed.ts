// The output of one group's command, each line with the name of the group before it.
import { Writable } from 'node:stream';

/** A line that is longer is cut into several, characters: a command that never ends its line keeps no memory. */
const LINE_LIMIT = 16 * 1024;

/** Writes to a stream that others write to as well: whole lines, no faster than it takes them. */
export class PrefixedLines extends Writable {
  readonly #prefix: string;
  readonly #target: Writable;
  #rest = '';

  constructor(name: string, target: Writable) {
    super({ decodeStrings: true, highWaterMark: LINE_LIMIT });
    this.#prefix = `${name} | `;
    this.#target = target;
    // What comes after the end, from what outlived its node, is nobody's any more.
    this.on('error', () => undefined);
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    // Latin-1 keeps every byte, also of a character that comes in two pieces.
    const lines = (this.#rest + chunk.toString('latin1')).split('\n');
    this.#rest = lines.pop() ?? '';
    const whole = lines.flatMap(pieces);
    while (this.#rest.length > LINE_LIMIT) {
      whole.push(this.#rest.slice(0, LINE_LIMIT));
      this.#rest = this.#rest.slice(LINE_LIMIT);
    }
    this.#send(whole, done);
  }

  /** What was not ended by its writer is a line all the same. */
  override _final(done: () => void): void {
    this.#send(this.#rest === '' ? [] : [this.#rest], done);
  }

  #send(lines: readonly string[], done: () => void): void {
    if (lines.length === 0) {
      done();
      return;
    }
    const text = lines.map((line) => `${this.#prefix}${line}\n`).join('');
    // A reader that went away is seen by whoever watches the stream: what it misses is nobody's.
    this.#target.write(Buffer.from(text, 'latin1'), () => {
      done();
    });
  }
}

function pieces(line: string): readonly string[] {
  if (line.length <= LINE_LIMIT) return [line];
  const count = Math.ceil(line.length / LINE_LIMIT);
  return Array.from({ length: count }, (_, i) => line.slice(i * LINE_LIMIT, (i + 1) * LINE_LIMIT));
}
