// Reads the words of one line of a scenario: `name=value`, `name="several words"` or just `name`.

export class Words {
  readonly #values: ReadonlyMap<string, string>;
  readonly #used = new Set<string>();

  constructor(text: string) {
    this.#values = splitWords(text);
  }

  get all(): ReadonlyMap<string, string> {
    return this.#values;
  }

  has(name: string): boolean {
    this.#used.add(name);
    return this.#values.has(name);
  }

  text(name: string, fallback: string): string {
    this.#used.add(name);
    return this.#values.get(name) ?? fallback;
  }

  optional(name: string): string | null {
    this.#used.add(name);
    return this.#values.get(name) ?? null;
  }

  number(name: string, fallback: number): number {
    const value = Number(this.text(name, String(fallback)));
    if (Number.isNaN(value)) throw new Error(`${name} is not a number`);
    return value;
  }

  optionalNumber(name: string): number | null {
    return this.has(name) ? this.number(name, 0) : null;
  }

  list(name: string): readonly string[] {
    return this.text(name, '')
      .split(',')
      .filter((item) => item !== '');
  }

  /** One of several choices; the first is the fallback. */
  choice<Choice extends string>(name: string, choices: readonly [Choice, ...Choice[]]): Choice {
    const value = this.text(name, choices[0]);
    const found = choices.find((choice) => choice === value);
    if (found === undefined) throw new Error(`${name}=${value} is none of ${choices.join(', ')}`);
    return found;
  }

  /** A word nobody asked for is a mistake in the scenario. */
  assertAllUsed(): void {
    for (const name of this.#values.keys()) {
      if (!this.#used.has(name)) throw new Error(`nobody understands the word ${name}`);
    }
  }
}

function splitWords(text: string): ReadonlyMap<string, string> {
  const words = new Map<string, string>();
  for (const [, name = '', quoted, plain] of text.matchAll(/([^\s=]+)(?:=(?:"([^"]*)"|(\S*)))?/g)) {
    words.set(name, quoted ?? plain ?? 'true');
  }
  return words;
}
