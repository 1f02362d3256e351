// What a shell offers for the word under the cursor, read off the definitions of the commands.
import type { Command, Option } from 'commander';
import { offeredFor } from '../definitions/offered.ts';

/** The shell completes the rest itself, from the word at `command` on. */
export type Offer =
  | { readonly kind: 'words'; readonly words: readonly Candidate[] }
  | { readonly kind: 'files' | 'directories' }
  | { readonly kind: 'command'; readonly at: number };

interface Candidate {
  readonly word: string;
  readonly about: string;
}

/** Names that only the state directory knows. */
export interface LiveNames {
  readonly groups: (line: LineOptions) => readonly string[];
  readonly nodes: (line: LineOptions) => readonly string[];
}

/** What was said on the line so far; undefined: it was not. */
export interface LineOptions {
  readonly command: string;
  readonly group: string | undefined;
  readonly stateDir: string | undefined;
}

/** @param words Those after the name of the program; the last one is under the cursor, and may be empty. */
export function offerFor(program: Command, words: readonly string[], live: LiveNames): Offer {
  const current = words.at(-1) ?? '';
  const place = words.findIndex((word) => !word.startsWith('-'));
  if (place < 0) return wordsOffer(optionCandidates(program, []), current);
  const name = words[place] ?? '';
  if (place === words.length - 1) return wordsOffer(commandCandidates(program), current);
  if (name === 'help') return wordsOffer(commandCandidates(program), current);
  const command = program.commands.find((known) => known.name() === name);
  if (command === undefined) return NOTHING;
  return ofCommand(command, read(command, words, place + 1), { current, live });
}

const NOTHING: Offer = { kind: 'words', words: [] };

/** What stands before the cursor. */
interface Line {
  /** The values of options, by their long names. */
  readonly values: ReadonlyMap<string, string>;
  readonly given: readonly Option[];
  readonly positionals: number;
  /** The option whose value is under the cursor; null: none is. */
  readonly open: Option | null;
  readonly isPastOptions: boolean;
  /** Where the command of a node begins; null: it has not yet. */
  readonly workloadAt: number | null;
}

function read(command: Command, words: readonly string[], from: number): Line {
  const values = new Map<string, string>();
  const given: Option[] = [];
  let [positionals, isPastOptions] = [0, false];
  let open: Option | null = null;
  const runsRest = command.registeredArguments.some(({ variadic }) => variadic);
  for (const [place, word] of words.entries()) {
    if (place < from || place === words.length - 1) continue;
    if (open !== null) {
      values.set(open.long ?? '', word);
      open = null;
    } else if (!isPastOptions && word === '--') isPastOptions = true;
    else if (!isPastOptions && word.startsWith('-') && word !== '-') {
      const { option, value } = optionIn(command, word);
      if (option === null) continue;
      given.push(option);
      if (value !== null) values.set(option.long ?? '', value);
      else if (option.required) open = option;
    } else if (runsRest)
      return { values, given, positionals, open, isPastOptions, workloadAt: place };
    else positionals += 1;
  }
  const workloadAt = runsRest && isPastOptions ? words.length - 1 : null;
  return { values, given, positionals, open, isPastOptions, workloadAt };
}

/** `--group=web`, `-gweb` and `--group` alike. */
function optionIn(
  command: Command,
  word: string,
): { readonly option: Option | null; readonly value: string | null } {
  const [name = '', ...rest] = word.split('=');
  const long = command.options.find((option) => option.long === name);
  if (long !== undefined) return { option: long, value: rest.length > 0 ? rest.join('=') : null };
  const short = command.options.find((option) => option.short === word.slice(0, 2));
  const attached = word.slice(2);
  return { option: short ?? null, value: attached === '' ? null : attached };
}

interface Asked {
  readonly current: string;
  readonly live: LiveNames;
}

function ofCommand(command: Command, line: Line, { current, live }: Asked): Offer {
  const { values, open, workloadAt, isPastOptions, given } = line;
  if (workloadAt !== null) return { kind: 'command', at: workloadAt };
  const said: LineOptions = {
    command: command.name(),
    group: values.get('--group'),
    stateDir: values.get('--state-dir'),
  };
  if (open !== null) return ofValue(open, said, { current, live });
  if (!isPastOptions && current.startsWith('-')) {
    const equals = current.indexOf('=');
    if (equals < 0) return wordsOffer(optionCandidates(command, given), current);
    const { option } = optionIn(command, current);
    if (option?.required !== true) return NOTHING;
    const offer = ofValue(option, said, { current: current.slice(equals + 1), live });
    return offer.kind === 'words' ? prefixed(offer.words, current.slice(0, equals + 1)) : offer;
  }
  return ofArgument(command, line, said, { current, live });
}

function ofArgument(command: Command, line: Line, said: LineOptions, asked: Asked): Offer {
  const argument = command.registeredArguments[line.positionals];
  if (argument === undefined) {
    const options = line.isPastOptions ? [] : optionCandidates(command, line.given);
    return wordsOffer(options, asked.current);
  }
  const choices = argument.argChoices ?? [];
  if (choices.length > 0) return wordsOffer(choices.map(bare), asked.current);
  if (argument.name() !== 'node') return NOTHING;
  return wordsOffer(asked.live.nodes(said).map(bare), asked.current);
}

/** By the name that its value has in the help, where it is no word of a list. */
function ofValue(option: Option, said: LineOptions, { current, live }: Asked): Offer {
  const offered = offeredFor(option);
  if (offered.length > 0) return wordsOffer(offered.map(bare), current);
  if (option.long === '--group') return wordsOffer(live.groups(said).map(bare), current);
  const placeholder = /<(.+)>/.exec(option.flags)?.[1] ?? '';
  if (placeholder === 'DIR') return { kind: 'directories' };
  return FILES.has(placeholder) ? { kind: 'files' } : NOTHING;
}

const FILES: ReadonlySet<string> = new Set(['FILE', 'PATH']);

function commandCandidates(program: Command): readonly Candidate[] {
  return [
    ...program.commands.map((command) => ({ word: command.name(), about: command.summary() })),
    { word: 'help', about: 'show the options of a command' },
  ];
}

/** Each once: none of them is of any use twice. */
function optionCandidates(command: Command, given: readonly Option[]): readonly Candidate[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .filter((option) => !given.includes(option))
    .flatMap(({ long, description }) => (long ? [{ word: long, about: description }] : []));
}

function wordsOffer(all: readonly Candidate[], current: string): Offer {
  return { kind: 'words', words: all.filter(({ word }) => word.startsWith(current)) };
}

function prefixed(words: readonly Candidate[], prefix: string): Offer {
  return { kind: 'words', words: words.map(({ word }) => bare(`${prefix}${word}`)) };
}

function bare(word: string): Candidate {
  return { word, about: '' };
}
