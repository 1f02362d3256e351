// The JSON of a heartbeat and of its answer; what comes from outside is checked field by field.
import type { Bid, Heartbeat } from '../core/peer-table.ts';
import { DOUBLE_LIMIT } from '../core/peer-election.ts';
import { isBoolean, isCount, isFields, isName, isText } from '../transport/checks.ts';
import type { Fields } from '../transport/checks.ts';

/** The longest body of a request and of an answer, bytes. */
export const BODY_LIMIT = 4096;

/** Where peers are asked, below their addresses. */
export const HEARTBEAT_PATH = '/_ha/heartbeat';

/** The version of the messages; another one is refused, never guessed at. */
const VERSION = 1;

export interface PeerMessage {
  readonly group: string;
  readonly heartbeat: Heartbeat;
}

export interface PeerRequest extends PeerMessage {
  /** What the other has offered in its last answer; null: it has not answered yet. */
  readonly proof: string | null;
}

export interface PeerAnswer extends PeerMessage {
  /** Which request it answers. */
  readonly to: { readonly run: string; readonly seq: number };
  /** What the next request has to repeat. */
  readonly offers: string;
  /** Whether that request repeated what was offered, and counts. */
  readonly taken: boolean;
}

export function encodeRequest({ proof, ...message }: PeerRequest): string {
  return JSON.stringify({ ...fieldsOf(message), proof });
}

export function encodeAnswer({ to, offers, taken, ...message }: PeerAnswer): string {
  return JSON.stringify({ ...fieldsOf(message), to, offers, taken });
}

/** Null: it is none. */
export function readRequest(value: unknown): PeerRequest | null {
  const message = readMessage(value);
  if (message === null || !isFields(value)) return null;
  const { proof } = value;
  if (proof !== null && !isText(proof)) return null;
  return { ...message, proof };
}

/** Null: it is none. */
export function readAnswer(value: unknown): PeerAnswer | null {
  const message = readMessage(value);
  if (message === null || !isFields(value)) return null;
  const { to, offers, taken } = value;
  if (!isFields(to) || !isName(to['run']) || !isCount(to['seq'])) return null;
  if (!isText(offers) || !isBoolean(taken)) return null;
  return { ...message, to: { run: to['run'], seq: to['seq'] }, offers, taken };
}

function fieldsOf({ group, heartbeat }: PeerMessage): Readonly<Record<string, unknown>> {
  const { node, ...said } = heartbeat;
  return { v: VERSION, group, node_id: node, ...said };
}

function readMessage(value: unknown): PeerMessage | null {
  if (!isFields(value) || value['v'] !== VERSION) return null;
  const { group, node_id: node, run, seq, target, leads, epoch, leaving } = value;
  if (!isName(group) || !isName(node) || !isName(run) || !isCount(seq)) return null;
  if (!isText(target) || !isBoolean(leads) || !isCount(epoch) || !isBoolean(leaving)) return null;
  const { bid } = value;
  if (bid !== null && !isCount(bid)) return null;
  // All three are of this version, and not of an earlier one.
  const { term = leads ? epoch : null, about = '', leaseMs = 0 } = value;
  if ((term !== null && (!isCount(term) || term > HIGHEST_EPOCH)) || !isText(about)) return null;
  if (!isCount(leaseMs)) return null;
  const supports = readBid(value['supports']);
  const doubles = readDoubles(value['doubles']);
  if (supports === undefined || doubles === null || epoch > HIGHEST_EPOCH) return null;
  const said = { bid, leads, term, supports, epoch, doubles, leaving, leaseMs, about };
  return { group, heartbeat: { node, run, seq, target, ...said } };
}

/** One more is always a number that is exact. */
const HIGHEST_EPOCH = Number.MAX_SAFE_INTEGER - 1;

function readBid(value: unknown): Bid | null | undefined {
  if (value === null) return null;
  if (!isFields(value)) return undefined;
  const { run, number }: Fields = value;
  return isName(run) && isCount(number) ? { run, number } : undefined;
}

function readDoubles(value: unknown): readonly string[] | null {
  if (!Array.isArray(value) || value.length > DOUBLE_LIMIT) return null;
  const names: readonly unknown[] = value;
  return names.every(isName) ? names : null;
}
