// How the commands speak: a line on stdout for what they did, one on stderr for what else to know.
import { printable } from './render/plain.ts';

export function say(text: string): void {
  process.stdout.write(`${printable(text)}\n`);
}

export function note(text: string): void {
  process.stderr.write(`failover: ${printable(text)}\n`);
}

/** Where a command that changes something tells how it went: not every caller has these streams for itself. */
export interface Voice {
  readonly say: (text: string) => void;
  readonly note: (text: string) => void;
}

/** That of a command line. */
export const ALOUD: Voice = { say, note };

/** A sentence that goes on after a colon or an "or". */
export function uncapitalized(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}
