// Puts values for names into a text: `${NAME}`, `${NAME:-default}`, `${NAME:?message}`, and `$$` for one `$`.

import { shortened } from '../quoted.ts';
import { redactUrl } from '../refused-url.ts';

/** What stands for a name; undefined: nothing does. @throws Unfit when it is one that may not be asked for */
export type Lookup = (name: string) => string | undefined;

/** Why a text can't be used: the fact as the rest of a sentence, and where in the text. */
export class Unfit extends Error {
  /** Characters from the start of the text. */
  readonly offset: number;
  readonly advice: string;

  constructor(fact: string, advice: string, offset = 0) {
    super(fact);
    this.advice = advice;
    this.offset = offset;
  }
}

/**
 * The text with all names replaced. `$NAME` without braces stays as it is: it is for a shell.
 *
 * @throws Unfit for a name without a value, and for braces that are not one of the forms
 */
export function interpolate(text: string, lookup: Lookup, budget: Budget): string {
  if (!text.includes('$')) {
    if (text.length > LENGTH_LIMIT) throw new Unfit(TOO_LONG, 'Use shorter ones.');
    return text;
  }
  budget.take(text.length);
  const result = new Interpolation(text, lookup).read(0);
  budget.take(result.length);
  return result;
}

/** How much may be read and made of all texts of a file: aliases and variables make a lot of a little. */
export class Budget {
  #left = 16 * 1024 * 1024;

  /** @throws Unfit when there is not so much left */
  take(characters: number): void {
    this.#left -= characters;
    if (this.#left < 0) {
      throw new Unfit('makes the file exceed 16 MiB with its variables', 'Use fewer.');
    }
  }
}

/** As long as an argument of a command may be. */
const LENGTH_LIMIT = 128 * 1024 - 1;

const TOO_LONG = `is longer than ${String(LENGTH_LIMIT)} characters with its variables`;

/** Defaults in defaults: more is a mistake. */
const DEPTH_LIMIT = 10;

class Interpolation {
  readonly #text: string;
  readonly #lookup: Lookup;
  #at = 0;

  constructor(text: string, lookup: Lookup) {
    this.#text = text;
    this.#lookup = lookup;
  }

  read(depth: number): string {
    let result = '';
    while (this.#at < this.#text.length) {
      if (result.length > LENGTH_LIMIT) throw new Unfit(TOO_LONG, 'Use shorter ones.');
      const rest = this.#text.slice(this.#at, this.#at + 2);
      if (rest === '$$') {
        this.#at += 2;
        result += '$';
      } else if (rest === '${') {
        result += this.#variable(depth);
      } else {
        result += rest.charAt(0);
        this.#at += 1;
      }
    }
    if (result.length > LENGTH_LIMIT) throw new Unfit(TOO_LONG, 'Use shorter ones.');
    return result;
  }

  #variable(depth: number): string {
    const from = this.#at;
    if (depth === DEPTH_LIMIT) throw new Unfit('nests too deep', 'Use fewer defaults.', from);
    NAME.lastIndex = from + 2;
    const name = NAME.exec(this.#text)?.[0];
    if (name === undefined) throw malformed(from);
    this.#at = NAME.lastIndex;
    const operator = OPERATORS.find((candidate) => this.#text.startsWith(candidate, this.#at));
    if (operator === undefined) throw malformed(from);
    this.#at += operator.length;
    const word = operator === '}' ? EMPTY : this.#word(depth, from);
    const value = located(() => this.#lookup(name), from);
    if (operator === '}') {
      if (value === undefined) throw missing(name, from);
      return value;
    }
    if (value !== undefined && value !== '') return value;
    if (operator === ':-') return word.read();
    // As it is written: what it refers to may be secret.
    const why = word.text.includes('://') ? redactUrl(word.text) : shortened(word.text);
    throw new Unfit(`needs ${name}: ${why}`, `Set ${name} in the environment.`, from);
  }

  /** What stands behind the operator: only if it is used its own names need values. */
  #word(depth: number, from: number): Word {
    const start = this.#at;
    this.#skip();
    if (this.#text.charAt(this.#at) !== '}') throw malformed(from);
    const text = this.#text.slice(start, this.#at);
    this.#at += 1;
    const inner = new Interpolation(text, this.#lookup);
    return { text, read: () => located(() => inner.read(depth + 1), start) };
  }

  /** To the brace that closes. */
  #skip(): void {
    let open = 0;
    while (this.#at < this.#text.length) {
      const rest = this.#text.slice(this.#at, this.#at + 2);
      if (rest.startsWith('}') && open === 0) return;
      if (rest === '${') open += 1;
      else if (rest.startsWith('}')) open -= 1;
      this.#at += rest === '$$' || rest === '${' ? 2 : 1;
    }
  }
}

interface Word {
  readonly text: string;
  readonly read: () => string;
}

const EMPTY: Word = { text: '', read: () => '' };

const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const OPERATORS = ['}', ':-', ':?'] as const;

/** What fails in a part of the text is told of where that part begins, or further on. */
function located<T>(read: () => T, offset: number): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Unfit)) throw error;
    throw new Unfit(error.message, error.advice, offset + error.offset);
  }
}

function missing(name: string, offset: number): Unfit {
  const advice = `Set ${name}, give a default with \${${name}:-DEFAULT}, or write $$ for a literal $.`;
  return new Unfit(
    `needs ${name}, which is neither in \`variables\` nor in the environment`,
    advice,
    offset,
  );
}

function malformed(offset: number): Unfit {
  const advice =
    'Write ${NAME}, ${NAME:-DEFAULT} or ${NAME:?MESSAGE}, or $${ to pass it to a shell.';
  return new Unfit('has ${ in an unknown form', advice, offset);
}
