// The hidden command that completion scripts call at each Tab: `failover __complete SHELL -- WORD…`.
import { printable } from '../render/plain.ts';
import { createProgram } from '../program.ts';
import { offerFor } from './candidates.ts';
import type { Offer } from './candidates.ts';
import { LIVE_NAMES } from './live-names.ts';

/**
 * Prints what is offered for the last word: first a line that says what it is, `words`, `files`, `directories`, or
 * `command N` with the place of its first word; then a line for each word, in two columns with a tab. Never fails:
 * what a person is typing is no place for errors.
 *
 * @param args After the name of the hidden command.
 */
export function answerCompletion([, , ...words]: readonly string[]): void {
  try {
    const offer = offerFor(createProgram(), words, LIVE_NAMES);
    process.stdout.write(`${linesOf(offer).join('\n')}\n`);
  } catch {
    process.stdout.write('words\n');
  }
}

function linesOf(offer: Offer): readonly string[] {
  if (offer.kind === 'command') return [`command ${String(offer.at)}`];
  if (offer.kind !== 'words') return [offer.kind];
  return ['words', ...offer.words.map(({ word, about }) => lineOf(printable(word), about))];
}

function lineOf(word: string, about: string): string {
  const said = printable(about);
  if (said === '') return word;
  return `${word}\t${said.length <= ABOUT_LIMIT ? said : `${said.slice(0, ABOUT_LIMIT - 1)}…`}`;
}

/** What a line of a menu has room for, characters. */
const ABOUT_LIMIT = 72;
