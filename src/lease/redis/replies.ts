// Reads what the scripts return: a server may be anything that listens there, and its data anybody's.
import type { LeaseHolder } from '../../core/state.ts';
import type { JoinReply } from '../join-alone.ts';
import type { StoredSight, StoreEvent } from '../remote-store.ts';
import { parseJson } from '../file/durable-file.ts';
import { finite, name } from '../file/record-fields.ts';
import { readLeaseHolder, readRival, readStoredNode, readStoreEvent } from '../stored-records.ts';
import { strangeAnswer } from '../strange-answer.ts';
import type { ClaimReply, RenewalReply, View } from '../token-driver.ts';

/** @throws FAILOVER_STORE_REFUSED, as all of them, for what no script of ours returns */
export function readView(value: unknown): View {
  const [epochText, leftMs, holderText, paused, known] = list(value, 5);
  const epoch = count(epochText);
  const left = finite(leftMs);
  if (left === null) throw strangeAnswer(HINT);
  const holder = typeof holderText === 'string' ? readHolder(holderText) : null;
  // -2: there is none; -1: somebody has made one that never ends.
  const held = left !== -2;
  return {
    observation: {
      epoch,
      held,
      holder,
      // A store that has lost its data knows an epoch from its nodes, and no holder: nothing to be read.
      recordUnreadable: false,
      touch: null,
      paused: paused === 1,
    },
    leftMs: held && left >= 0 ? left : null,
    isKnown: known === 1,
  };
}

export function readClaim(value: unknown): ClaimReply {
  const [word, view, epoch, previous] = list(value, 2);
  if (word === 'granted') {
    const node = name(previous);
    return { type: 'granted', view: readView(view), epoch: count(epoch), previous: node };
  }
  if (word !== 'held' && word !== 'completed') throw strangeAnswer(HINT);
  return { type: 'denied', view: readView(view), cause: word };
}

export function readRenewal(value: unknown): RenewalReply {
  const [isOurs, by, known] = list(value, 3);
  if (isOurs !== 0 && isOurs !== 1) throw strangeAnswer(HINT);
  return { isOurs: isOurs === 1, by: name(by), isKnown: known === 1 };
}

/** The epoch; null: the lease is not, or no more, that of the token. */
export function readAdvance(value: unknown): number | null {
  return value === '' ? null : count(value);
}

export function readJoin(value: unknown, timeToLiveMs: number): JoinReply<string> {
  const [word, what, leftMs] = list(value, 2);
  if (word === 'joined') return { type: 'joined', joined: String(count(what)) };
  const left = finite(leftMs);
  if (word !== 'taken' || left === null) throw strangeAnswer(HINT);
  const rival = readRival(parsed(what));
  const seenAgoMs = timeToLiveMs - left;
  return { type: 'taken', by: rival === null ? null : { ...rival, seenAgoMs } };
}

/** Records that this version does not understand are left out. */
export function readNodes(value: unknown, timeToLiveMs: number): readonly StoredSight[] {
  return list(value, 0).flatMap((entry) => {
    const [record, leftMs] = list(entry, 2);
    const node = readStoredNode(parsed(record));
    const left = finite(leftMs);
    if (node === null || left === null) return [];
    return [{ ...node, seenAgoMs: Math.max(0, timeToLiveMs - left) }];
  });
}

export function readEvents(value: unknown): readonly StoreEvent[] {
  return list(value, 0).flatMap((entry) => {
    const event = readStoreEvent(parsed(entry));
    return event === null ? [] : [event];
  });
}

function readHolder(content: string): LeaseHolder | null {
  return readLeaseHolder(parseJson(content));
}

/** What is no text is no record. */
function parsed(entry: unknown): unknown {
  return typeof entry === 'string' ? parseJson(entry) : undefined;
}

function list(value: unknown, least: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length < least) throw strangeAnswer(HINT);
  return value;
}

function count(value: unknown): number {
  const number = typeof value === 'string' ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(number) || number < 0) throw strangeAnswer(HINT);
  return number;
}

const HINT = 'Check that the address is that of a Redis server used only by failover nodes.';
