// What is said of a URL that can not be used: it may carry a password, which no message repeats.
import { FailoverError } from '../errors.ts';
import { quoted, shortened } from './quoted.ts';

/** What is wrong with it, and what would be right. */
export interface Refusal {
  readonly fact: string;
  readonly expected: string;
}

/** @param source what to call it: the flag, or the variable */
export function refuseUrl(
  text: string,
  source: string,
  { fact, expected }: Refusal,
): FailoverError {
  const message = `Cannot use ${source}: "${redactUrl(text)}" ${fact}`;
  return new FailoverError('FAILOVER_BAD_OPTION', message, {
    details: { option: source, expected },
  });
}

/**
 * A URL without user, password and all that follows its path. What stands before an `@` may be a password, also where
 * it makes another URL of it, or none.
 */
export function redactUrl(text: string): string {
  const open = text.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/isu, '$1***@');
  return shortened(open.replace(CUT_PASSWORD, '$1:***').replace(/[?#].*$/su, ''));
}

/** A value as a message quotes it, whatever it is. */
export function quotedOpenly(text: string): string {
  return text.includes('://') ? `"${redactUrl(text)}"` : quoted(text);
}

/** What stands where a port would and is none: a password, of a URL that a shell has cut before its `@`. */
const CUT_PASSWORD = /^([a-z][a-z0-9+.-]*:\/\/[^/?#:@[]*):(?!\d{1,5}(?:[,/?#]|$)).*$/isu;
