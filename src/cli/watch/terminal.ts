// The terminal of the live view: its other screen, keys as they are pressed, and everything put back at every end.
import { keysIn } from './keys.ts';
import { repaint } from './repaint.ts';
import type { Size } from './view-lines.ts';

export interface TerminalHandlers {
  readonly onKey: (key: string) => void;
  /** It is another size, or what was on it is gone: all is to be drawn again. */
  readonly onRedraw: () => void;
}

/** Takes the terminal of this process; whoever opens it has to close it. */
export class Terminal {
  readonly takesKeys: boolean = process.stdin.isTTY;
  readonly #handlers: TerminalHandlers;
  readonly #end: AbortSignal;
  /** What is on the screen, row by row. */
  #shown: readonly string[] = [];
  #isOpen = false;
  /** For good: it is not entered again, whatever arrives late. */
  #isClosed = false;
  #continuing: NodeJS.Timeout | null = null;

  /** @param end Once it has aborted, the terminal is not taken again */
  constructor(handlers: TerminalHandlers, end: AbortSignal) {
    this.#handlers = handlers;
    this.#end = end;
  }

  get size(): Size {
    const { columns, rows } = process.stdout;
    return { columns: Math.max(MIN_COLUMNS, columns), rows: Math.max(1, rows) };
  }

  open(): void {
    // Whatever ends this process, but SIGKILL.
    process.on('exit', this.#leave);
    process.on('SIGCONT', this.#onContinued);
    process.on('SIGTSTP', this.#suspend);
    process.stdout.on('resize', this.#onResize);
    if (this.takesKeys) process.stdin.on('data', this.#onData);
    this.#enter();
  }

  draw(lines: readonly string[]): void {
    if (!this.#isOpen) return;
    const text = repaint(this.#shown, lines);
    this.#shown = lines;
    if (text !== '') process.stdout.write(text);
  }

  close(): void {
    this.#isClosed = true;
    if (this.#continuing !== null) clearTimeout(this.#continuing);
    this.#leave();
    process.off('exit', this.#leave);
    process.off('SIGCONT', this.#onContinued);
    process.off('SIGTSTP', this.#suspend);
    process.stdout.off('resize', this.#onResize);
    process.stdin.off('data', this.#onData);
    if (this.takesKeys) process.stdin.pause();
  }

  #enter(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    if (this.takesKeys) {
      process.stdin.setRawMode(true);
      process.stdin.resume();
    }
    process.stdout.write(ENTER);
    this.#forget();
  }

  readonly #leave = (): void => {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    process.stdout.write(LEAVE);
    if (this.takesKeys) process.stdin.setRawMode(false);
  };

  /** What was drawn is no longer there, or not where it was. */
  #forget(): void {
    process.stdout.write(CLEAR);
    this.#shown = [];
  }

  readonly #onResize = (): void => {
    if (!this.#isOpen) return;
    this.#forget();
    this.#handlers.onRedraw();
  };

  readonly #onData = (chunk: Buffer): void => {
    for (const key of keysIn(chunk.toString('utf8'))) {
      if (key === 'ctrl-z') this.#suspend();
      else if (key === 'ctrl-l') this.#onResize();
      else this.#handlers.onKey(key);
    }
  };

  /** In raw mode the terminal does not stop its programs by itself. */
  readonly #suspend = (): void => {
    if (this.#continuing !== null) clearTimeout(this.#continuing);
    this.#leave();
    process.off('SIGTSTP', this.#suspend);
    // Its whole group, as a terminal does. Nothing happens where no shell could continue it.
    process.kill(0, 'SIGTSTP');
    this.#continuing = setTimeout(this.#onContinued, SUSPENDED_MS);
  };

  /** By the signal, or by this timer: it waits while the process is stopped. */
  readonly #onContinued = (): void => {
    // A shell ends what is stopped with SIGTERM and SIGCONT at once: the end is what counts.
    if (this.#isOpen || this.#isClosed || this.#end.aborted) return;
    if (!process.listeners('SIGTSTP').includes(this.#suspend)) {
      process.on('SIGTSTP', this.#suspend);
    }
    this.#enter();
    this.#handlers.onRedraw();
  };
}

const MIN_COLUMNS = 20;

/** Longer than a signal takes to its own process, ms. */
const SUSPENDED_MS = 100;

/** The other screen, as editors use it, without a cursor, and where a line that is too long ends at its edge; and back. */
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l';
const LEAVE = '\u001b[?7h\u001b[?1049l\u001b[?25h';
const CLEAR = '\u001b[2J\u001b[H';
