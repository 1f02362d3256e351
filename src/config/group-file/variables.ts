// The variables of a file of groups: each may refer to others, and to the environment.
import { Budget, interpolate, Unfit } from './interpolate.ts';
import type { Lookup } from './interpolate.ts';
import type { Entry } from './document.ts';

/** Every name in a file is looked up here: in its `variables` first, then in the environment. */
export class Variables {
  readonly budget: Budget = new Budget();
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #values = new Map<string, string>();
  /** Those that are being worked out, in the order in which they refer to each other. */
  readonly #underWay: string[] = [];

  constructor(
    entries: ReadonlyMap<string, Entry>,
    env: Readonly<Record<string, string | undefined>>,
  ) {
    this.#entries = entries;
    this.#env = env;
  }

  /** @throws Unfit when it can't be worked out, and for a circle of references, named */
  readonly lookup: Lookup = (name) => {
    const known = this.#values.get(name);
    if (known !== undefined) return known;
    const entry = this.#entries.get(name);
    if (entry === undefined) return Object.hasOwn(this.#env, name) ? this.#env[name] : undefined;
    const { value } = entry;
    if (value.kind === 'number' || value.kind === 'boolean') return value.text;
    if (value.kind !== 'text')
      throw new Unfit(`needs ${name}, which is not a string`, MEND_VARIABLE);
    const text = this.#workOut(name, value.text);
    this.#values.set(name, text);
    return text;
  };

  #workOut(name: string, text: string): string {
    const from = this.#underWay.indexOf(name);
    if (from >= 0) {
      const circle = [...this.#underWay.slice(from), name].join(' → ');
      throw new Unfit(`refers to itself: ${circle}`, 'Give one of them a literal value.');
    }
    if (this.#underWay.length === CHAIN_LIMIT) {
      throw new Unfit(
        `refers to other variables more than ${String(CHAIN_LIMIT)} levels deep`,
        'Refer to fewer.',
      );
    }
    this.#underWay.push(name);
    try {
      return interpolate(text, this.lookup, this.budget);
    } catch (error) {
      if (!(error instanceof Unfit)) throw error;
      // The offset is one of the variable's own text.
      throw new Unfit(error.message, error.advice);
    } finally {
      this.#underWay.pop();
    }
  }
}

const CHAIN_LIMIT = 100;
const MEND_VARIABLE = 'Set the variable to a string, a number, or true or false.';
