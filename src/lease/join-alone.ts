// Registers a node as the only one of its id: what is on record under it has to be gone, and is watched until that is clear.
import { setTimeout as wait } from 'node:timers/promises';
import { formatDuration } from '../core/duration-text.ts';
import { FailoverError } from '../errors.ts';
import type { ProcessIdentity } from './lease-store.ts';
import { judgeRival, longestWatchMs } from './sole-node.ts';
import type { RivalProcess, Sighting, SoleRules } from './sole-node.ts';

/** Another that is on record under the same id. */
export interface Rival {
  readonly run: string;
  /** Null: what it says can be no name. */
  readonly host: string | null;
  /** Wall clock, ISO 8601: for people. Null: what it says is no time. */
  readonly startedAt: string | null;
  /** Null: it does not say. */
  readonly supervisor: ProcessIdentity | null;
  /** How long it may leave the store alone, ms; null: it does not say. */
  readonly quietMs: number | null;
  /** By the clock of the store, ms. */
  readonly seenAgoMs: number;
}

/** `by` null: one that comes, or goes, at this very moment. */
export type JoinReply<Joined> =
  | { readonly type: 'joined'; readonly joined: Joined }
  | { readonly type: 'taken'; readonly by: Rival | null };

/** How a store registers a node that is to be the only one of its id. */
export interface Alone {
  /** The run whose record goes: it was found to be gone; null: none. */
  readonly instead: string | null;
}

export interface SoleNode extends Omit<SoleRules, 'signPauseMs'> {
  readonly lookAt: (supervisor: ProcessIdentity | null) => RivalProcess;
  /** Called once when it has to wait, with what for; the signal ends the wait. Null: nothing does. */
  readonly onWait: (fact: string) => AbortSignal | null;
  /** Called when that is found out by a node that takes part already: it must end. */
  readonly onTaken: (error: FailoverError) => void;
}

export interface JoinAloneParts<Joined> {
  /** Registers the node unless another has its id; one step there. */
  readonly join: (alone: Alone) => Promise<JoinReply<Joined>>;
  readonly sole: SoleNode;
  /** How long the store shows no sign of a node that does not leave it alone, ms. */
  readonly signPauseMs: number;
  readonly node: string;
  readonly group: string;
  /** Milliseconds on the clock by which the node decides. */
  readonly now: () => number;
  readonly pause?: (ms: number, signal: AbortSignal | null) => Promise<unknown>;
}

/**
 * Resolves when it is registered, at once where nobody has the id, or who had it is gone.
 *
 * @throws FAILOVER_NODE_TAKEN, what `join` throws, and an `AbortError` when the wait was ended
 */
export async function joinAlone<Joined>(parts: JoinAloneParts<Joined>): Promise<Joined> {
  const { join, sole, signPauseMs, now, pause = pauseFor } = parts;
  let first: Sighting | null = null;
  let instead: string | null = null;
  let signal: AbortSignal | null = null;
  let unseen = 0;
  for (;;) {
    const askedAt = now();
    const reply: JoinReply<Joined> = await join({ instead });
    if (reply.type === 'joined') return reply.joined;
    const { by } = reply;
    if (by === null) {
      unseen += 1;
      if (unseen === MOST_UNSEEN) throw taken(parts, 'another process is registering that id');
      await pause(LOOK_PAUSE_MS, signal);
      continue;
    }
    const { run, seenAgoMs, quietMs, supervisor } = by;
    const looked = { run, seenAgoMs, quietMs, process: sole.lookAt(supervisor) };
    const latest: Sighting = { ...looked, askedAt, answeredAt: now() };
    const judgement = judgeRival((first ??= latest), latest, { ...sole, signPauseMs });
    // A record that was to go and is there again was written by one that lives.
    if (judgement === 'taken' || instead === run) {
      throw taken(parts, havingIt(by));
    }
    if (judgement === 'gone') {
      instead = run;
    } else {
      if (latest === first) signal = sole.onWait(waitingFor(parts, by));
      await pause(LOOK_PAUSE_MS, signal);
    }
  }
}

export function isTaken(error: unknown): error is FailoverError {
  return error instanceof FailoverError && error.code === 'FAILOVER_NODE_TAKEN';
}

function taken(
  { node, group }: Pick<JoinAloneParts<unknown>, 'node' | 'group'>,
  fact: string,
): FailoverError {
  const message = `Cannot take part in group ${group} as ${node}: ${fact}`;
  return new FailoverError('FAILOVER_NODE_TAKEN', message, { details: { group } });
}

function waitingFor(
  { node, group, sole: { quietMs }, signPauseMs }: JoinAloneParts<unknown>,
  by: Rival,
): string {
  const since = by.startedAt === null ? '' : ` since ${by.startedAt}`;
  const limit = formatDuration(longestWatchMs(by, { quietMs, signPauseMs }));
  return (
    `${describe(by)} is on record in group ${group} as ${node}${since}` +
    `: waiting up to ${limit} to see whether it lives`
  );
}

function havingIt(by: Rival): string {
  const who = describe(by);
  return by.startedAt === null ? `${who} has that id` : `${who} has that id since ${by.startedAt}`;
}

function describe({ host, supervisor }: Rival): string {
  const where = host ?? 'another machine';
  return supervisor === null ? `a node on ${where}` : `process ${supervisor.pid} on ${where}`;
}

function pauseFor(ms: number, signal: AbortSignal | null): Promise<unknown> {
  return wait(ms, undefined, signal === null ? {} : { signal });
}

/** How often an id may be that of one of which nothing is seen. */
const MOST_UNSEEN = 4;

/** Often enough to see a record go; far longer than an answer takes. */
const LOOK_PAUSE_MS = 250;
