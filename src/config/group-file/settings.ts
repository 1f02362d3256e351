// What a map of a file says, by the table of options: each value as text, with its place.
import { optionOf } from '../options.ts';
import { PROCESS_KEYS } from '../up-options.ts';
import type { OptionSpec } from '../options.ts';
import { quoted } from '../quoted.ts';
import { quotedOpenly } from '../refused-url.ts';
import type { Entry, Part } from './document.ts';
import { interpolate, Unfit } from './interpolate.ts';
import type { Budget, Lookup } from './interpolate.ts';
import { GROUP_WORDS, nearest } from './keys.ts';
import type { Place, Problems } from './problems.ts';

/** A value as a flag would have it; null: as if nothing were said, also where `defaults` say something. */
export interface Setting extends Place {
  readonly text: string | null;
  /** As it stands in the file, where that differs: what is put in for a variable is shown to nobody. */
  readonly written?: string;
}

/** Its words, and the same as they stand in the file. */
interface Command {
  readonly words: readonly string[];
  readonly written: readonly string[];
}

export interface Settings {
  readonly values: ReadonlyMap<string, Setting>;
  /** Null: none is given. */
  readonly command: Command | null;
}

export const NO_SETTINGS: Settings = { values: new Map(), command: null };

export interface Reading {
  readonly lookup: Lookup;
  readonly budget: Budget;
  readonly problems: Problems;
}

/** The first goes before the second. */
export function over(own: Settings, others: Settings): Settings {
  return {
    values: new Map([...others.values, ...own.values]),
    command: own.command ?? others.command,
  };
}

/** What the entries with these words say; others are left alone. */
export function readSettings(
  entries: ReadonlyMap<string, Entry>,
  words: readonly string[],
  reading: Reading,
): Settings {
  const values = new Map<string, Setting>();
  let command: Command | null = null;
  for (const [key, { value }] of entries) {
    if (!words.includes(key)) continue;
    if (key === 'command') {
      command = readCommand(value, reading);
      continue;
    }
    const text = value.kind === 'nothing' ? null : readValue(optionOf(key), value, reading);
    if (text === undefined) continue;
    const written = value.kind === 'text' && value.text !== text ? { written: value.text } : {};
    values.set(key, { text, ...written, line: value.line, column: value.column });
  }
  return { values, command };
}

export function refuseUnknown(
  entries: ReadonlyMap<string, Entry>,
  where: { readonly words: readonly string[]; readonly name: string },
  problems: Problems,
): void {
  for (const [word, { key }] of entries) {
    if (where.words.includes(word)) continue;
    const fact = `Cannot use ${quoted(word)} in ${where.name}: there is no such key`;
    problems.add(key, fact, () => adviceFor(word, where.words));
  }
}

function adviceFor(word: string, words: readonly string[]): string {
  if (PROCESS_KEYS.some((key) => key === word))
    return 'Put it at the top level, next to `groups`: it applies to the whole process.';
  if (GROUP_WORDS.includes(word)) return 'Put it in a group, or in `defaults`.';
  const near = nearest(word, words);
  return near === null ? `Known keys: ${words.join(', ')}.` : `Did you mean \`${near}\`?`;
}

/** What is written, with names replaced; undefined: it can't be used, which `problems` then tells of. */
function readText(
  name: string,
  part: Part,
  { lookup, budget, problems }: Reading,
): string | undefined {
  if (part.kind !== 'text') return undefined;
  try {
    return interpolate(part.text, lookup, budget);
  } catch (error) {
    if (!(error instanceof Unfit)) throw error;
    // In a text on one line it is known where.
    const offset = part.isPlain && !part.text.includes('\n') ? error.offset : 0;
    const place = { line: part.line, column: part.column + offset };
    problems.add(
      place,
      `Cannot use ${name}: ${quotedOpenly(part.text)} ${error.message}`,
      error.advice,
    );
    return undefined;
  }
}

function readValue(option: OptionSpec, part: Part, reading: Reading): string | undefined {
  const { key } = option;
  if (part.kind === 'text') return readText(key, part, reading);
  if (part.kind === 'number' && takesNumbers(option)) return part.value;
  if (part.kind === 'boolean' && option.kind === 'boolean') return part.text;
  const what =
    part.kind === 'number' || part.kind === 'boolean'
      ? `${part.text} is a ${part.kind}`
      : `it is a ${part.kind}`;
  reading.problems.add(part, `Cannot use ${key}: ${what}`, `Give ${expectedOf(option)}.`);
  return undefined;
}

/** Others are texts, and quotes make one of digits. */
function takesNumbers({ kind, mayBePort }: Pick<OptionSpec, 'kind' | 'mayBePort'>): boolean {
  // 0 is a duration.
  return kind === 'integer' || kind === 'duration' || mayBePort === true;
}

function expectedOf({ kind, choices }: OptionSpec): string {
  if (choices !== undefined) return `one of ${choices.join(', ')}`;
  if (kind === 'boolean') return 'true or false';
  if (kind === 'integer') return 'a whole number';
  if (kind === 'duration') return 'a duration, such as 2s';
  return 'a string, quoted if it looks like another type';
}

/** A list of words, or one text for `sh -c`. */
function readCommand(part: Part, reading: Reading): Command | null {
  const { problems } = reading;
  if (part.kind === 'nothing') return null;
  if (part.kind === 'text') {
    const script = readText('command', part, reading);
    if (script?.trim() === '') problems.add(part, 'Cannot use command: it is empty', FORMS);
    if (script === undefined) return WITH_A_MISTAKE;
    return { words: [...SHELL, script], written: [...SHELL, part.text] };
  }
  if (part.kind !== 'list' || part.items.length === 0) {
    const what = part.kind === 'list' ? 'it is an empty list' : `it is a ${part.kind}`;
    problems.add(part, `Cannot use command: ${what}`, FORMS);
    return WITH_A_MISTAKE;
  }
  const words = part.items.map((item, index) => {
    const word = item.kind === 'text' ? readText('command', item, reading) : wordOf(item);
    const fact = index === 0 && word === '' ? 'its first word is empty' : faultOf(word);
    if (fact !== null) problems.add(item, `Cannot use command: ${fact}`, FORMS);
    return word ?? '';
  });
  const written = part.items.map((item) => ('text' in item ? item.text : ''));
  return { words, written };
}

const FORMS = 'Use a list of words, such as [node, server.js], or a string for `sh -c`.';

/** Something, so that nobody is told that a command is missing. */
const WITH_A_MISTAKE: Command = { words: ['false'], written: ['false'] };

const SHELL = ['sh', '-c'] as const;

/** Numbers and truth values are words as they are written. */
function wordOf(part: Part): string | null {
  return part.kind === 'number' || part.kind === 'boolean' ? part.text : null;
}

function faultOf(word: string | null | undefined): string | null {
  if (word === null) return 'one of its words is not a string';
  return word?.includes('\0') === true ? 'a word has a NUL character' : null;
}
