// What is wrong with a file of groups: each thing with the place where it stands, all told at once.
import { FailoverError } from '../../errors.ts';

/** Where something stands in a file, both counted from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** What could not be used and why, and what is expected in its place: a sentence each. */
interface Problem extends Place {
  readonly fact: string;
  /** Worked out only if it is shown. */
  readonly advice: string | (() => string);
}

/** Gathers what is wrong; past its limit that is only counted. */
export class Problems {
  readonly #file: string;
  readonly #found: Problem[] = [];
  #count = 0;

  constructor(file: string) {
    this.#file = file;
  }

  get count(): number {
    return this.#count;
  }

  add({ line, column }: Place, fact: string, advice: Problem['advice']): void {
    this.#count += 1;
    if (this.#found.length < GATHERED) this.#found.push({ line, column, fact, advice });
  }

  /** @throws FAILOVER_BAD_CONFIG, with all of them, if there are any */
  throwIfAny(): void {
    if (this.#count === 0) return;
    const inOrder = [...this.#found].sort((a, b) => a.line - b.line || a.column - b.column);
    const facts = inOrder.slice(0, SHOWN).map((problem) => this.#line(problem));
    if (this.#count > SHOWN) facts.push(`and ${String(this.#count - SHOWN)} more`);
    const what = this.#count === 1 ? '1 thing is' : `${String(this.#count)} things are`;
    const message = `Cannot use ${this.#file}: ${what} wrong in it`;
    throw new FailoverError('FAILOVER_BAD_CONFIG', message, { facts });
  }

  /** As compilers write it, so that an editor finds the place. */
  #line({ line, column, fact, advice }: Problem): string {
    return `${this.#file}:${String(line)}:${String(column)}: ${fact}. ${typeof advice === 'string' ? advice : advice()}`;
  }
}

/** They are told in the order of the file, and not found in it. */
const GATHERED = 1_000;

/** The most that one error tells of. */
const SHOWN = 20;
