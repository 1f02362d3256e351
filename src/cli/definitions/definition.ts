// What the definitions of all commands are made of: the text of the help, and the rows of the option table.
import { Option } from 'commander';
import type { Command } from 'commander';
import { OPTIONS, optionOf } from '../../config/options.ts';
import type { OptionSpec } from '../../config/options.ts';
import { offering } from './offered.ts';
import { notesOf } from '../command-notes.ts';

export interface CommandText {
  readonly name: string;
  readonly summary: string;
  readonly example: string;
  /** What it is about without --group, where that is not the group called default. */
  readonly withoutGroup?: string;
}

export function addCommand(program: Command, { name, summary, example }: CommandText): Command {
  const sentence = `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
  return program
    .command(name)
    .summary(summary)
    .description(sentence)
    .helpOption('-h, --help', 'Print this help.')
    .addHelpText('after', notesOf(name, example));
}

/** A command that asks about, or asks of, a group that others run. */
export function addClient(program: Command, text: CommandText): Command {
  const command = addCommand(program, text);
  for (const option of OPTIONS) {
    if (option.takenBy !== 'every command') continue;
    const { withoutGroup } = text;
    const isOther = option.key === 'group' && withoutGroup !== undefined;
    addOption(command, isOther ? { ...option, defaultText: withoutGroup } : option);
  }
  return command;
}

/** Nodes of this machine know the server, and its password: where there are some it need not be named. */
export function leaseServer(): Option {
  const { flag, placeholder = '' } = optionOf('lease');
  return new Option(
    `${flag} <${placeholder}>`,
    'Lease server; needed if no node of the group runs on this machine.',
  );
}

export const ALL_GROUPS = 'all groups of the state directory';

/** A default that is shown as a person writes it. */
export function withDefault(flags: string, sentence: string, value: string): Option {
  return new Option(flags, sentence).default(value, value);
}

/** Values stay text: the settings are read, with their limits, in one place for flags and variables. */
export function addOption(command: Command, option: OptionSpec): void {
  const { flag, short, placeholder, sentence, heading } = option;
  const names = short === undefined ? flag : `${short}, ${flag}`;
  const value = placeholder === undefined ? '' : ` <${placeholder}>`;
  const shown = option.defaultText ?? option.default;
  const note = shown === null || shown === 'false' ? '' : ` (default: ${shown})`;
  const choices = option.choices === undefined ? '' : ` [${option.choices.join('|')}]`;
  const added = new Option(`${names}${value}`, `${sentence}${choices}${note}`);
  // A heading helps only where there are many.
  if (option.choices !== undefined) offering(added, option.choices);
  if (heading !== null && command.name() === 'run') added.helpGroup(heading);
  command.addOption(added);
}
