// `--ready-when`: the four forms of a condition that makes a promotion complete.
import { parsePolledForm, required } from './polled-check.ts';
import type { PolledCheck } from './polled-check.ts';
import { shortened } from './quoted.ts';

/** A readiness condition: an answer over HTTP, an open port, a command's exit 0, a line of output. */
export type ReadyWhen = PolledCheck | { readonly kind: 'log'; readonly pattern: RegExp };

/** The forms, for messages and help. */
const READY_WHEN_FORMS =
  'http://HOST/PATH, https://HOST/PATH, tcp://HOST:PORT, exec:COMMAND or log:/REGEXP/FLAGS';

/**
 * Reads a readiness condition.
 *
 * @param source What it was given as (a flag, a variable), named by the error.
 * @throws FAILOVER_BAD_OPTION when it has none of the forms, or a form's part is wrong.
 */
export function parseReadyWhen(text: string, source = '--ready-when'): ReadyWhen {
  return required(parseForm(text), { text, source, forms: READY_WHEN_FORMS });
}

/** The condition, or what is wrong with the text. */
function parseForm(text: string): ReadyWhen | string {
  return text.startsWith('log:') ? parseLog(text.slice('log:'.length)) : parsePolledForm(text);
}

function parseLog(text: string): ReadyWhen | string {
  const match = /^\/(.+)\/([a-z]*)$/s.exec(text);
  if (match === null) return 'is not log:/REGEXP/FLAGS';
  const [, source = '', flags = ''] = match;
  // With g or y an expression remembers where it stopped, and would miss a match in the next line.
  if (/[gy]/.test(flags)) return 'has the flag g or y, which a match of single lines does not take';
  try {
    return { kind: 'log', pattern: new RegExp(source, flags) };
  } catch (error) {
    // The system's sentence quotes all of it and ends with what is wrong.
    const fault = error instanceof Error ? error.message.split(': ').at(-1) : String(error);
    return `is not a regular expression: ${shortened(fault ?? '')}`;
  }
}
