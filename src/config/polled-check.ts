// A check that is asked again and again: an answer over HTTP, an open port, a command's exit 0.
import { FailoverError } from '../errors.ts';
import { quoted } from './quoted.ts';

export type PolledCheck = NetworkCheck | { readonly kind: 'exec'; readonly command: string };

/** A check that reaches out and starts nothing. */
export type NetworkCheck =
  | { readonly kind: 'http'; readonly url: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/** The check, or what is wrong with the text. */
export function parsePolledForm(text: string): PolledCheck | string {
  if (/^https?:/i.test(text)) return parseHttp(text);
  if (/^tcp:/i.test(text)) return parseTcp(text);
  if (text.startsWith('exec:')) {
    const command = text.slice('exec:'.length).trim();
    return command === '' ? 'has no command' : { kind: 'exec', command };
  }
  return 'has no known form';
}

/**
 * What was parsed.
 *
 * @throws FAILOVER_BAD_OPTION for what is wrong with it, naming what it was given as
 */
export function required<Check extends object>(
  parsed: Check | string,
  given: { readonly text: string; readonly source: string; readonly forms: string },
): Check {
  if (typeof parsed !== 'string') return parsed;
  const { text, source, forms } = given;
  const message = `Cannot use ${source}: ${quoted(text)} ${parsed}`;
  throw new FailoverError('FAILOVER_BAD_OPTION', message, {
    details: { option: source, expected: `one of the forms ${forms}` },
  });
}

function parseHttp(text: string): NetworkCheck | string {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return 'is not a URL';
  return { kind: 'http', url: new URL(text).href };
}

function parseTcp(text: string): NetworkCheck | string {
  const match = /^tcp:\/\/(?:\[([0-9a-f:.]+)\]|([^\s:/[\]]+)):(\d{1,5})$/i.exec(text);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined) return 'is not tcp://HOST:PORT';
  const port = Number(match?.[3]);
  if (port < 1 || port > 65_535) return `has the port ${String(port)}, not 1 to 65535`;
  return { kind: 'tcp', host, port };
}
