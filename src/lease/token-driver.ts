// What a lease with a token needs of the server that keeps it: each is one step there, nothing comes in between.
import type { LeaseObservation } from '../core/state.ts';
import type { ReturnOrder } from '../guard/messages.ts';
import type { Alone, JoinReply } from './join-alone.ts';
import type { StoredSight, StoreEvent } from './remote-store.ts';

/** What a look shows. */
export interface View {
  readonly observation: LeaseObservation;
  /** Until the lease ends, ms; null: nobody has it, or it does not end. */
  readonly leftMs: number | null;
  /** Whether the asking node is on record. */
  readonly isKnown: boolean;
}

export type ClaimReply =
  | {
      readonly type: 'granted';
      readonly view: View;
      readonly epoch: number;
      readonly previous: string | null;
    }
  | { readonly type: 'denied'; readonly view: View; readonly cause: 'held' | 'completed' };

export interface RenewalReply {
  readonly isOurs: boolean;
  /** The node that has it instead; null: nobody. */
  readonly by: string | null;
  readonly isKnown: boolean;
}

/** For whom something is done: its run, its name, and its record as text. */
export interface Asker {
  readonly run: string;
  readonly node: string;
  readonly record: string;
}

export interface Joining {
  /** The start of a node that registers again; else empty. */
  readonly start: string;
  /** The highest epoch that is known here. */
  readonly known: number;
  /** How this node makes sure that its id is its own; null: others may have the same id. */
  readonly alone: Alone | null;
}

/** All of it throws FAILOVER_STORE_* where there is no answer, or a no. */
export interface TokenDriver {
  /** How long a node that lives leaves no sign of life at most, beside what it pauses between two looks, ms. */
  readonly signPauseMs: number;
  /** Takes the lease if it is free: `start` is the place of the asker among all that ever registered. */
  claim(
    asker: Asker,
    what: {
      readonly token: string;
      readonly ttlMs: number;
      readonly floor: number;
      readonly start: string;
    },
  ): Promise<ClaimReply>;
  renew(
    asker: Asker,
    what: { readonly token: string; readonly ttlMs: number; readonly timeoutMs: number },
  ): Promise<RenewalReply>;
  /** The epoch; null: the lease is not, or no more, that of the token. */
  advance(
    asker: Asker,
    what: { readonly token: string; readonly floor: number },
  ): Promise<number | null>;
  /** Releases the lease; with another token than the present one it changes nothing. */
  release(asker: Asker, token: string): Promise<void>;
  /** How another process does the same. */
  returnOrder(asker: Asker, token: string): ReturnOrder;
  /** `known`: the highest epoch that is known here, put on record where that has a lower one. */
  look(asker: Asker, known: number): Promise<View>;
  /** Registers a node, again with its start if it has one; its start. */
  join(asker: Asker, what: Joining): Promise<JoinReply<string>>;
  leave(asker: Asker): Promise<void>;
  complete(asker: Asker, epoch: number): Promise<void>;
  /** `by`: who; null: nobody, it goes on. */
  pause(asker: Asker, by: string | null): Promise<void>;
  listNodes(): Promise<readonly StoredSight[]>;
  readEvents(limit: number): Promise<readonly StoreEvent[]>;
  close(): void;
}
