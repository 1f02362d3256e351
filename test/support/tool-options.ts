// The command line of what people run by hand to try the program: one table of flags gives values, help and refusals.
import { parseArgs } from 'node:util';

export interface Tool<F extends Flags> {
  /** As `npm run` calls it. */
  readonly name: string;
  readonly about: string;
  readonly flags: F;
  /** What the help says beyond the flags, each with a title of its own. */
  readonly notes?: readonly string[];
  /** The words after `--`. */
  readonly example: string;
}

export interface Flag<T> {
  /** How the help calls its value; null: it takes none. */
  readonly placeholder: string | null;
  readonly says: string;
  readonly fallback: T;
  /** What a value has to be, for who gave another. */
  readonly takes: string;
  /** Undefined: it is none. */
  readonly read: (text: string) => T | undefined;
}

/** Its flags by their names, without the dashes. */
export type Flags = Readonly<Record<string, Flag<unknown>>>;

export type Values<F extends Flags> = {
  readonly [Name in keyof F]: F[Name] extends Flag<infer T> ? T : never;
};

export type Reading<F extends Flags> =
  { readonly values: Values<F> } | { readonly help: string } | { readonly wrong: string };

/** What it was asked for. Where that is help, or wrong, it is said, and this process ends with 0 or 2. */
export function optionsOrEnd<F extends Flags>(tool: Tool<F>): Values<F> {
  const reading = readOptions(tool, process.argv.slice(2));
  return 'values' in reading ? reading.values : endWith(tool.name, reading);
}

export function endWith(
  tool: string,
  answer: { readonly help: string } | { readonly wrong: string },
): never {
  if ('wrong' in answer) {
    process.stderr.write(`${tool}: ${answer.wrong}. See npm run ${tool} -- --help\n`);
    process.exit(2);
  }
  process.stdout.write(answer.help);
  process.exit(0);
}

export function readOptions<F extends Flags>(tool: Tool<F>, args: readonly string[]): Reading<F> {
  const given = parse(tool.flags, args);
  if (typeof given === 'string') return { wrong: given };
  if (given['help'] === true) return { help: helpOf(tool) };
  const values: Record<string, unknown> = {};
  for (const [name, { fallback, takes, read }] of Object.entries(tool.flags)) {
    const text = given[name];
    const value = text === undefined ? fallback : read(String(text));
    if (value === undefined) return { wrong: `--${name} takes ${takes}, not '${String(text)}'` };
    values[name] = value;
  }
  // One of each flag, as its own row has read it.
  return { values: values as Values<F> };
}

interface Told<T> {
  readonly placeholder: string;
  readonly says: string;
  readonly fallback: T;
}

/** A decimal number in bounds. */
export function number<T extends number | null>(
  told: Told<T> & { readonly least?: number; readonly most?: number; readonly isWhole?: boolean },
): Flag<number | T> {
  const { least = 0, most = Number.MAX_SAFE_INTEGER, isWhole = true } = told;
  const range =
    most === Number.MAX_SAFE_INTEGER
      ? `of ${String(least)} or more`
      : `from ${String(least)} to ${String(most)}`;
  const read = (text: string): number | undefined => {
    const value = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
    const isOne = value >= least && value <= most && (!isWhole || Number.isSafeInteger(value));
    return isOne ? value : undefined;
  };
  return { ...described(told), takes: `a ${isWhole ? 'whole ' : ''}number ${range}`, read };
}

/** Whole numbers with commas between. */
export function numbers(
  told: Told<readonly number[]> & { readonly least: number },
): Flag<readonly number[]> {
  const one = number({ ...told, fallback: null });
  const read = (text: string): readonly number[] | undefined => {
    const values = text.split(',').map((part) => one.read(part) ?? undefined);
    return values.every((value) => value !== undefined) ? values : undefined;
  };
  return { ...described(told), takes: `${one.takes}, or several with commas`, read };
}

/** One of these; null: none was named. */
export function oneOf(
  names: readonly string[],
  told: Omit<Told<null>, 'fallback'>,
): Flag<string | null> {
  const read = (text: string): string | undefined => names.find((name) => name === text);
  return { ...described({ ...told, fallback: null }), takes: eitherOf(names), read };
}

/** Words that the tool itself looks at; null: it was not given. */
export function words(
  told: Omit<Told<null>, 'fallback'> & {
    readonly takes: string;
    readonly isOne: (text: string) => boolean;
  },
): Flag<string | null> {
  const read = (text: string): string | undefined => (told.isOne(text) ? text : undefined);
  return { ...described({ ...told, fallback: null }), takes: told.takes, read };
}

/** It is there, or not. */
export function flag(says: string): Flag<boolean> {
  return { placeholder: null, says, fallback: false, takes: 'nothing', read: () => true };
}

/** A sentence: what is wrong with them. */
function parse(
  flags: Flags,
  args: readonly string[],
): Readonly<Record<string, string | boolean | undefined>> | string {
  const options = Object.entries(flags).map(([name, { placeholder }]) => {
    const type: 'boolean' | 'string' = placeholder === null ? 'boolean' : 'string';
    return [name, { type }] as const;
  });
  try {
    const help = { type: 'boolean', short: 'h' } as const;
    return parseArgs({ args: [...args], options: { ...Object.fromEntries(options), help } }).values;
  } catch (error) {
    // What follows its first sentence are ways out that people of a shell know.
    const said = error instanceof Error ? error.message : String(error);
    return said.split(/[.\n]/)[0] ?? said;
  }
}

function helpOf({ name, about, flags, notes = [], example }: Tool<Flags>): string {
  const rows = Object.entries(flags).map(([flagName, row]) => {
    const title = `--${flagName}${row.placeholder === null ? '' : ` ${row.placeholder}`}`;
    return { title, says: `${row.says}${defaultOf(row)}` };
  });
  rows.push({ title: '--help', says: 'this text' });
  const width = Math.max(...rows.map(({ title }) => title.length));
  const options = rows.map(({ title, says }) => `  ${title.padEnd(width)}  ${says}\n`).join('');
  return [
    `Usage: npm run ${name} -- [options]\n`,
    `${about}\n`,
    options,
    ...notes.map((note) => `${note}\n`),
    `Example:\n  $ npm run ${name} -- ${example}\n`,
  ].join('\n');
}

function defaultOf({ fallback }: Flag<unknown>): string {
  if (typeof fallback === 'number') return ` (default: ${String(fallback)})`;
  if (Array.isArray(fallback) && fallback.length > 0) return ` (default: ${fallback.join(',')})`;
  return '';
}

function described<T>({ placeholder, says, fallback }: Told<T>): Told<T> {
  return { placeholder, says, fallback };
}

function eitherOf(names: readonly string[]): string {
  const last = names.at(-1) ?? '';
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} or ${last}`;
}
