// The headers of a request as the primary gets them, and those of its answer as the client does.
import type { IncomingMessage } from 'node:http';
import { HOP_HEADERS } from '../library/forward-request.ts';
import { HOPS_HEADER } from '../library/hops.ts';
import type { PrimaryTerm } from './primary-source.ts';

/** What a client can't say to the primary in our name. */
const OURS: ReadonlySet<string> = new Set(['x-failover-epoch', 'x-failover-node', HOPS_HEADER]);

const REPEATED_HEADER = 'x-failover-repeated';
const HELD_HEADER = 'x-failover-held-ms';

const VIA = '1.1 failover';

export interface ForwardedRequest {
  readonly request: IncomingMessage;
  /** The one it was sent to, which an absolute target names in place of the header. */
  readonly host: string | null;
  readonly hops: string;
}

/**
 * Names and values in turn. The length of the body stays as it is; hop-by-hop headers and `Expect` are for this
 * connection alone.
 */
export function requestHeaders(
  { request, host, hops }: ForwardedRequest,
  { node, epoch }: PrimaryTerm,
): string[] {
  const { headers, socket, rawHeaders } = request;
  const kept = withoutHops(
    rawHeaders,
    headers.connection,
    // CGI, WSGI and Rack hand on both spellings under one name.
    (name) => FORWARDED.has(name) || OURS.has(name.replaceAll('_', '-')),
  );
  const client = headers['x-forwarded-for'];
  const { remoteAddress } = socket;
  addTo(kept, 'host', host);
  addTo(kept, 'x-forwarded-for', joined(client, remoteAddress));
  addTo(kept, 'x-forwarded-proto', headers['x-forwarded-proto'] ?? 'http');
  addTo(kept, 'x-forwarded-host', headers['x-forwarded-host'] ?? host);
  addTo(kept, 'via', joined(headers.via, VIA));
  addTo(kept, HOPS_HEADER, hops);
  addTo(kept, 'x-failover-node', node);
  addTo(kept, 'x-failover-epoch', epoch === null ? null : String(epoch));
  return kept;
}

/** Nothing where there is none. */
function addTo(kept: string[], name: string, value: string | string[] | null | undefined): void {
  const text = typeof value === 'object' ? (value?.join(', ') ?? '') : (value ?? '');
  if (text !== '') kept.push(name, text);
}

/** What came, and behind it what is known here. */
function joined(
  given: string | string[] | undefined,
  own: string | undefined,
): string | string[] | undefined {
  if (given === undefined || given === '') return own;
  return own === undefined ? given : [given, own].flat();
}

/** What the proxy itself says of an answer. */
export interface AnswerNotes {
  readonly repeats: number;
  readonly heldMs: number;
}

/** @param raw as the primary sent them, names and values in turn */
export function answerHeaders(raw: readonly string[], notes: AnswerNotes): string[] {
  const noted: string[] = [];
  const kept = withoutHops(raw, valuesOf(raw, 'connection').join(), (name) => {
    const isNote = name === REPEATED_HEADER || name === HELD_HEADER;
    if (isNote) noted.push(name);
    return isNote;
  });
  kept.push('via', VIA, ...noteHeaders(noted.length > 0 ? withNotesOf(raw, notes) : notes));
  return kept;
}

/** With what another proxy behind this one has done: the client asks about all of its way. */
function withNotesOf(raw: readonly string[], { repeats, heldMs }: AnswerNotes): AnswerNotes {
  return {
    repeats: repeats + countIn(raw, REPEATED_HEADER),
    heldMs: heldMs + countIn(raw, HELD_HEADER),
  };
}

function countIn(raw: readonly string[], name: string): number {
  const text = valueOf(raw, name) ?? '';
  return /^\d{1,9}$/.test(text) ? Number(text) : 0;
}

export function noteHeaders({ repeats, heldMs }: AnswerNotes): string[] {
  const wholeMs = Math.round(heldMs);
  return [
    ...(repeats > 0 ? [REPEATED_HEADER, String(repeats)] : []),
    ...(wholeMs > 0 ? [HELD_HEADER, String(wholeMs)] : []),
  ];
}

/** The first of that name. */
export function valueOf(raw: readonly string[], name: string): string | undefined {
  return valuesOf(raw, name)[0];
}

/** How often a name comes. */
export function countOf(raw: readonly string[], name: string): number {
  return valuesOf(raw, name).length;
}

function valuesOf(raw: readonly string[], name: string): readonly string[] {
  return raw.filter((_, at) => at % 2 === 1 && raw[at - 1]?.toLowerCase() === name);
}

/** What is put together from what came and from what is known here. */
const FORWARDED: ReadonlySet<string> = new Set([
  ...['host', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'via'],
]);

function withoutHops(
  raw: readonly string[],
  connection: string | undefined,
  isDropped: (name: string) => boolean,
): string[] {
  const named =
    connection === undefined ? [] : connection.split(',').map((one) => one.trim().toLowerCase());
  const kept: string[] = [];
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? '';
    const lower = name.toLowerCase();
    // Who names the length as a header of the connection would change where the body ends.
    const isNamed = named.includes(lower) && lower !== 'content-length';
    if (HOP_HEADERS.has(lower) || isNamed || isDropped(lower)) continue;
    kept.push(name, raw[at + 1] ?? '');
  }
  return kept;
}
