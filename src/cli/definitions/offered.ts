// What a shell offers for the value of an option: kept beside it, as the parser would print words of its own in the help.
import type { Option } from 'commander';

const OFFERED = new WeakMap<Option, readonly string[]>();

/** The option itself, which takes one of these words; whether a word is one of them is checked where it is read. */
export function offering(option: Option, words: readonly string[]): Option {
  OFFERED.set(option, words);
  return option;
}

/** Nothing where its value is no word of a list. */
export function offeredFor(option: Option): readonly string[] {
  return OFFERED.get(option) ?? [];
}
