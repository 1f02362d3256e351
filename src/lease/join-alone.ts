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
  /** The host of the other node; null: what it says can be no name. */
  readonly host: string | null;
  /** Wall clock, ISO 8601: for people. Null: what it says is no time. */
  readonly startedAt: string | null;
  /** The supervisor of the other node; null: it does not say. */
  readonly supervisor: ProcessIdentity | null;
  /** How long it may leave the store alone, ms; null: it does not say. */
  readonly quietMs: number | null;
  /** By the clock of the store, ms: negative where that was set back since. */
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
  /** Called once for each thing that it has to wait for; the signal ends the wait. Null: nothing does. */
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
  /** A node that takes part already needs no first answer: it does not wait for a store that gives none. */
  readonly hasBegun: boolean;
  /** How long each request waits for its answer, ms. */
  readonly requestTimeoutMs: number;
  /** Milliseconds on the clock by which the node decides. */
  readonly now: () => number;
  readonly pause?: (ms: number, signal: AbortSignal | null) => Promise<unknown>;
}

/**
 * Resolves when it is registered, at once where nobody has the id, or who had it is gone. One request without an answer
 * decides nothing: only a store that gives none for long does not answer.
 *
 * @throws FAILOVER_NODE_TAKEN, what `join` throws, and an `AbortError` when the wait was ended
 */
export async function joinAlone<Joined>(parts: JoinAloneParts<Joined>): Promise<Joined> {
  const { sole, signPauseMs, now } = parts;
  const asking = new Asking(parts);
  let first: Sighting | null = null;
  let instead: string | null = null;
  let unseen = 0;
  for (;;) {
    const { reply, askedAt } = await asking.ask({ instead });
    if (reply.type === 'joined') return reply.joined;
    const { by } = reply;
    if (by === null) {
      unseen += 1;
      if (unseen === MOST_UNSEEN) throw taken(parts, 'another process is registering that id');
      await asking.pause();
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
      if (latest === first) asking.waitFor(waitingFor(parts, by));
      await asking.pause();
    }
  }
}

export function isTaken(error: unknown): error is FailoverError {
  return error instanceof FailoverError && error.code === 'FAILOVER_NODE_TAKEN';
}

/** Where the server does not answer, whoever registers goes on without: it is tried again. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof FailoverError && error.code === 'FAILOVER_STORE_UNREACHABLE';
}

/** Asks until there is an answer, for as long as the store is not silent for too long. */
class Asking<Joined> {
  readonly #parts: JoinAloneParts<Joined>;
  #signal: AbortSignal | null = null;
  /** When it answered last, or was first waited for; null: nobody waits for a first answer. */
  #heardAt: number | null;
  #hasToldSilence = false;

  constructor(parts: JoinAloneParts<Joined>) {
    this.#parts = parts;
    this.#heardAt = parts.hasBegun ? null : parts.now();
  }

  /** @throws what `join` throws */
  async ask(
    alone: Alone,
  ): Promise<{ readonly reply: JoinReply<Joined>; readonly askedAt: number }> {
    const { join, now } = this.#parts;
    for (;;) {
      const askedAt = now();
      try {
        const reply = await join(alone);
        this.#heardAt = now();
        return { reply, askedAt };
      } catch (error) {
        if (!isUnreachable(error) || this.#isSilent()) throw error;
        this.#tellSilence();
        await this.pause();
      }
    }
  }

  waitFor(fact: string): void {
    this.#signal = this.#parts.sole.onWait(fact);
  }

  async pause(): Promise<void> {
    const { pause = pauseFor } = this.#parts;
    await pause(LOOK_PAUSE_MS, this.#signal);
  }

  #isSilent(): boolean {
    if (this.#heardAt === null) return true;
    return this.#parts.now() - this.#heardAt >= silenceLimitMs(this.#parts);
  }

  #tellSilence(): void {
    if (this.#hasToldSilence) return;
    this.#hasToldSilence = true;
    const { node, group } = this.#parts;
    const limit = formatDuration(silenceLimitMs(this.#parts));
    this.waitFor(
      `the lease store of group ${group} does not answer: ` +
        `waiting up to ${limit} to see whether another node has the id ${node}`,
    );
  }
}

function silenceLimitMs({ requestTimeoutMs }: JoinAloneParts<unknown>): number {
  return Math.max(LEAST_SILENCE_MS, MISSED_ANSWERS * requestTimeoutMs);
}

function taken(
  { node, group, sole }: Pick<JoinAloneParts<unknown>, 'node' | 'group' | 'sole'>,
  fact: string,
): FailoverError {
  const id = sole.isGiven ? node : `${node}, an id that it made up`;
  const hint = sole.isGiven ? {} : { hint: MADE_UP_HINT };
  const message = `Cannot take part in group ${group} as ${id}: ${fact}`;
  return new FailoverError('FAILOVER_NODE_TAKEN', message, { details: { group }, ...hint });
}

const MADE_UP_HINT = 'Start this node again: it makes up another id. Or give it one with --node.';

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

/** A store of which nothing is heard for that long does not answer, and for no less than a few requests, ms. */
const LEAST_SILENCE_MS = 3_000;
const MISSED_ANSWERS = 3;

/** How often an id may be that of one of which nothing is seen. */
const MOST_UNSEEN = 4;

/** Often enough to see a record go; far longer than an answer takes. */
const LOOK_PAUSE_MS = 250;
