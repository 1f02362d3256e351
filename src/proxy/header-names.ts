// What a header is to the proxy, by its name: found out once for each, as nearly all requests have the same ones.
import { HOP_HEADERS } from '../library/forward-request.ts';
import { HOPS_HEADER } from '../library/hops.ts';

export const REPEATED_HEADER = 'x-failover-repeated';
export const HELD_HEADER = 'x-failover-held-ms';

export interface HeaderName {
  readonly lower: string;
  /** It is about one connection alone, whatever that connection says. */
  readonly isHop: boolean;
  /** In a request: put together here from what came and from what is known, or nothing that a client may say. */
  readonly isSetHere: boolean;
  /** In an answer: counted up here. */
  readonly isCounted: boolean;
  /** Who names the length as a header of the connection would change where the body ends. */
  readonly isNeverNamed: boolean;
}

/** More than a service has, with every spelling; names beyond them are looked at each time. */
const MOST_KNOWN = 512;

/** Of what is remembered: names that are longer come from somebody who means no good. */
const LONGEST_KNOWN = 64;

const known = new Map<string, HeaderName>();

/** @param name as it was spelt */
export function headerNamed(name: string): HeaderName {
  const found = known.get(name);
  if (found !== undefined) return found;
  const facts = factsOf(name.toLowerCase());
  if (known.size < MOST_KNOWN && name.length <= LONGEST_KNOWN) known.set(name, facts);
  return facts;
}

const FORWARDED: ReadonlySet<string> = new Set([
  ...['host', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'via'],
]);

/** What a client can't say to the primary in our name. */
const OURS: ReadonlySet<string> = new Set(['x-failover-epoch', 'x-failover-node', HOPS_HEADER]);

function factsOf(lower: string): HeaderName {
  return {
    lower,
    isHop: HOP_HEADERS.has(lower),
    // CGI, WSGI and Rack hand on both spellings under one name.
    isSetHere: FORWARDED.has(lower) || OURS.has(lower.replaceAll('_', '-')),
    isCounted: lower === REPEATED_HEADER || lower === HELD_HEADER,
    isNeverNamed: lower === 'content-length',
  };
}
