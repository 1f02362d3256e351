// The headers of a request as the primary gets them, and those of its answer as the client does.
import type { IncomingMessage } from 'node:http';
import { HOPS_HEADER } from '../library/hops.ts';
import { HELD_HEADER, REPEATED_HEADER, headerNamed } from './header-names.ts';
import type { HeaderName } from './header-names.ts';
import type { PrimaryTerm } from './primary-source.ts';

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
  const named = namedBy(headers.connection);
  const kept: string[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const given = rawHeaders[at] ?? '';
    const name = headerNamed(given);
    if (!isHop(name, named) && !name.isSetHere) kept.push(given, rawHeaders[at + 1] ?? '');
  }
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

/** Whether the primary gets a key by which it knows the request again. */
export function hasIdempotencyKey({ headers }: IncomingMessage): boolean {
  const key = String(headers['idempotency-key'] ?? '');
  // Of two empty ones a comma is left, and of an empty text its quotes.
  return /[^\s,"]/.test(key) && !namedBy(headers.connection).includes('idempotency-key');
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

/**
 * The headers of an answer by their names in lower case, as they go on. One byte is one character, whatever it means,
 * as it is here for all of them.
 */
export type SentHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** What the proxy itself says of an answer. */
export interface AnswerNotes {
  readonly repeats: number;
  readonly heldMs: number;
}

/** Names and values in turn. */
export function answerHeaders(sent: SentHeaders, notes: AnswerNotes): string[] {
  const { connection } = sent;
  const named = namedBy(typeof connection === 'object' ? connection.join() : connection);
  const kept: string[] = [];
  for (const given in sent) {
    const name = headerNamed(given);
    if (isHop(name, named) || name.isCounted) continue;
    const value = sent[given];
    if (typeof value === 'string') kept.push(given, value);
    else for (const each of value ?? []) kept.push(given, each);
  }
  kept.push('via', VIA);
  addNotes(kept, withNotesOf(sent, notes));
  return kept;
}

/** With what another proxy behind this one has done: the client asks about all of its way. */
function withNotesOf(sent: SentHeaders, notes: AnswerNotes): AnswerNotes {
  const { [REPEATED_HEADER]: repeated, [HELD_HEADER]: held } = sent;
  if (repeated === undefined && held === undefined) return notes;
  return { repeats: notes.repeats + countIn(repeated), heldMs: notes.heldMs + countIn(held) };
}

function countIn(value: string | readonly string[] | undefined): number {
  const text = typeof value === 'object' ? value[0] : value;
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : 0;
}

export function noteHeaders(notes: AnswerNotes): string[] {
  const headers: string[] = [];
  addNotes(headers, notes);
  return headers;
}

function addNotes(headers: string[], { repeats, heldMs }: AnswerNotes): void {
  const wholeMs = Math.round(heldMs);
  if (repeats > 0) headers.push(REPEATED_HEADER, String(repeats));
  if (wholeMs > 0) headers.push(HELD_HEADER, String(wholeMs));
}

/** The first of that name. */
export function valueOf(sent: SentHeaders, name: string): string | undefined {
  const value = sent[name];
  return typeof value === 'object' ? value[0] : value;
}

/** How often a name comes. */
export function countOf(raw: readonly string[], name: string): number {
  let count = 0;
  for (let at = 0; at < raw.length; at += 2) {
    const given = raw[at] ?? '';
    if (given.length === name.length && given.toLowerCase() === name) count += 1;
  }
  return count;
}

/** Whether it is about one connection alone. @param named by its `Connection` header */
function isHop(
  { isHop: always, isNeverNamed, lower }: HeaderName,
  named: readonly string[],
): boolean {
  return always || (named.length > 0 && !isNeverNamed && named.includes(lower));
}

/** In lower case; none where it names what is dropped anyway, as it does nearly always. */
function namedBy(connection: string | undefined): readonly string[] {
  if (connection === undefined || /^keep-alive$/i.test(connection)) return NONE;
  return connection.split(',').map((one) => one.trim().toLowerCase());
}

const NONE: readonly string[] = [];
