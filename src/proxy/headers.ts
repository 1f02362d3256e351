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
  const named = namedBy(headers.connection);
  const kept: string[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    const lower = name.toLowerCase();
    if (!isHop(lower, named) && !isSetHere(lower)) kept.push(name, rawHeaders[at + 1] ?? '');
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

/** The headers of an answer. */
export interface SentHeaders {
  /** As the primary sent them, names and values in turn. */
  readonly raw: readonly (Buffer | string)[];
  /** By their names in lower case. One byte is one character, whatever it means, as it is here for all of them. */
  readonly fields: Readonly<Record<string, string | string[] | undefined>>;
}

/** What the proxy itself says of an answer. */
export interface AnswerNotes {
  readonly repeats: number;
  readonly heldMs: number;
}

export function answerHeaders({ raw, fields }: SentHeaders, notes: AnswerNotes): string[] {
  const { connection } = fields;
  const named = namedBy(typeof connection === 'object' ? connection.join() : connection);
  const kept: string[] = [];
  for (let at = 0; at < raw.length; at += 2) {
    const name = textOf(raw[at]);
    const lower = name.toLowerCase();
    if (isHop(lower, named) || lower === REPEATED_HEADER || lower === HELD_HEADER) continue;
    const value = fields[lower];
    kept.push(name, typeof value === 'string' ? value : textOf(raw[at + 1]));
  }
  kept.push('via', VIA);
  addNotes(kept, withNotesOf(fields, notes));
  return kept;
}

/** With what another proxy behind this one has done: the client asks about all of its way. */
function withNotesOf(fields: SentHeaders['fields'], notes: AnswerNotes): AnswerNotes {
  const [repeated, held] = [fields[REPEATED_HEADER], fields[HELD_HEADER]];
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
export function valueOf({ fields }: SentHeaders, name: string): string | undefined {
  const value = fields[name];
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

/** What is put together from what came and from what is known here. */
const FORWARDED: ReadonlySet<string> = new Set([
  ...['host', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'via'],
]);

/** Whether it is about one connection alone. @param named by its `Connection` header */
function isHop(lower: string, named: readonly string[]): boolean {
  if (HOP_HEADERS.has(lower)) return true;
  // Who names the length as a header of the connection would change where the body ends.
  return named.length > 0 && named.includes(lower) && lower !== 'content-length';
}

function textOf(part: Buffer | string | undefined): string {
  return typeof part === 'object' ? part.toString('latin1') : (part ?? '');
}

/** In lower case; none where it names what is dropped anyway, as it does nearly always. */
function namedBy(connection: string | undefined): readonly string[] {
  if (connection === undefined || /^keep-alive$/i.test(connection)) return NONE;
  return connection.split(',').map((one) => one.trim().toLowerCase());
}

const NONE: readonly string[] = [];

function isSetHere(name: string): boolean {
  // CGI, WSGI and Rack hand on both spellings under one name.
  return FORWARDED.has(name) || OURS.has(name.includes('_') ? name.replaceAll('_', '-') : name);
}
