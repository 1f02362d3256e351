// The text of what a node says on the bus: of its heartbeats little is new.
import { SUCCESSION_LIMIT } from '../core/settings.ts';
import { isAlike } from './alike.ts';
import { TEXT_LIMIT } from './checks.ts';
import type { Fields } from './checks.ts';
import { WIRE_VERSION } from './wire.ts';
import type { BusMessage } from './wire.ts';

type Heartbeat = Extract<BusMessage, { readonly kind: 'heartbeat' }>;

/** What is in the text of a heartbeat that only its number and times tell from the one before. */
type Steady = Record<'v' | Exclude<keyof Heartbeat, 'kind' | Fleeting>, unknown>;

type Fleeting = 'seq' | 'sentAt' | 'uptimeMs';

/** For all messages of one run of a group. */
export class Encoder {
  /** Of the last heartbeat. */
  #steady: Steady | null = null;
  #steadyText = '';

  /** The two frames of a message. Long texts are cut, so that what is sent is also accepted. */
  encode(message: BusMessage): [topic: string, body: string] {
    const { group, kind } = message;
    const topic = `${group}/${kind}`;
    if (kind === 'heartbeat') return [topic, this.#heartbeat(message)];
    // What is undefined is not in the text.
    return [topic, textOf({ v: WIRE_VERSION, ...message, kind: undefined })];
  }

  /** Of a thousand groups two thousand are said a second. */
  #heartbeat(message: Heartbeat): string {
    const steady = steadyOf(message);
    if (this.#steady === null || !isSaidAgain(this.#steady, steady)) {
      this.#steady = steady;
      this.#steadyText = textOf(steady).slice(1);
    }
    const { seq, uptimeMs } = message;
    const sentAt = JSON.stringify(message.sentAt.slice(0, TEXT_LIMIT));
    return `{"seq":${String(seq)},"sentAt":${sentAt},"uptimeMs":${String(uptimeMs)},${this.#steadyText}`;
  }
}

/** By name: the engine copies what is spread by its slowest way. */
function steadyOf(message: Heartbeat): Steady {
  return {
    v: WIRE_VERSION,
    group: message.group,
    node: message.node,
    run: message.run,
    startedAt: message.startedAt,
    target: message.target,
    epoch: message.epoch,
    phase: message.phase,
    succession: message.succession,
    lastTakeover: message.lastTakeover,
    standing: message.standing,
    health: message.health,
    demotions: message.demotions,
  };
}

function isSaidAgain(before: Steady, now: Steady): boolean {
  for (const key in now) {
    const field = key as keyof Steady; // made by the same function
    if (!isAlike(before[field], now[field])) return false;
  }
  return true;
}

/** With a function that is asked for each value it takes several times as long. */
function textOf(fields: object): string {
  return isShort(fields) ? JSON.stringify(fields) : JSON.stringify(fields, shortened);
}

/** Whether nothing in it has to be cut. */
function isShort(value: unknown): boolean {
  if (typeof value === 'string') return value.length <= TEXT_LIMIT;
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.length <= SUCCESSION_LIMIT && value.every(isShort);
  for (const key in value) if (!isShort((value as Fields)[key])) return false;
  return true;
}

function shortened(key: string, value: unknown): unknown {
  if (typeof value === 'string') return value.slice(0, TEXT_LIMIT);
  return key === 'succession' && Array.isArray(value) ? value.slice(0, SUCCESSION_LIMIT) : value;
}
