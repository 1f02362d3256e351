// Reads what the flags of a command say, refused with what is expected.
import { loadClientOptions } from '../../config/load.ts';
import type { ClientOptions } from '../../config/load.ts';
import { validateNodeId } from '../../config/names.ts';
import { withAdvice } from '../advised.ts';
import { limitedDuration } from '../flag-values.ts';

/** What a command's parsed flags are, by key; each is checked before it is used. */
export type Flags = Readonly<Record<string, unknown>>;

/** What a command does for a group that others run: what its error advises works where the group was looked for. */
export async function ofClient(
  flags: Flags,
  act: (options: ClientOptions) => Promise<void>,
): Promise<void> {
  const options = loadClientOptions({ flags, env: process.env });
  try {
    await act(options);
  } catch (error) {
    throw withAdvice(error, options);
  }
}

export function is(flags: Flags, key: string): boolean {
  return flags[key] === true;
}

export function nodeId(text: string | undefined): string | null {
  return text === undefined ? null : validateNodeId(text, 'NODE');
}

export function timeout(flags: Flags): { readonly timeoutMs: number } {
  return { timeoutMs: limitedDuration(String(flags['timeout']), '--timeout') };
}

export function hold(flags: Flags): number | null {
  const value = flags['hold'];
  return typeof value === 'string' ? limitedDuration(value, '--hold') : null;
}
