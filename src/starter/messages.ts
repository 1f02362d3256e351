// What a supervisor and its starter say to each other: a line of JSON each.
import type { GateMessage } from '../workload/environment.ts';
import type { DeathSignal } from '../workload/gate-script.ts';

/** Each is about one start, by its number: what is started at most once, and the lock file that it inherits. */
export type ToStarter = { readonly id: number } &
  /** Whether it finds what the supervisor has open; answered. */
  (
    | (Omit<HoldOrder, 'type'> & { readonly type: 'reach' })
    | HoldOrder
    /** Takes the lock on the description; answered. */
    | { readonly type: 'lock' }
    | SpawnOrder
    /** Writes the role file, if there is to be one, and opens the gate; answered. */
    | { readonly type: 'open'; readonly message: GateMessage; readonly roleFile: string | null }
    /** Whether it goes on; answered, also without a start of that number. */
    | { readonly type: 'ping' }
    /** The gate closes, if it was not opened. */
    | { readonly type: 'close' }
    /** Closes the description; what was started has one of its own. */
    | { readonly type: 'release' }
  );

/** Opens the lock file anew. */
export interface HoldOrder {
  readonly type: 'hold';
  /** Where the supervisor has it open: what has its name may be another one by now. */
  readonly file: string;
  /** The supervisor may have closed that, and opened another. */
  readonly identity: string;
}

/** Starts the command behind its gate, with the description as its descriptor 3; answered. */
export interface SpawnOrder {
  readonly type: 'spawn';
  readonly command: readonly string[];
  /** What is set on top of the environment of the supervisor. */
  readonly environment: Readonly<Record<string, string>>;
  readonly deathSignal: DeathSignal;
}

export type FromStarter = { readonly id: number } & (
  | Answer
  /** What was started. From `at` on its number may be another's, on the clock of `monotonicNow`, ms. */
  | {
      readonly type: 'ended';
      readonly exitCode: number | null;
      readonly signal: string | null;
      readonly at: number;
    }
);

export type Answer =
  | { readonly type: 'reached' }
  /** On the clock of `monotonicNow`, ms. */
  | { readonly type: 'pong'; readonly at: number }
  /** False: another description has it. */
  | { readonly type: 'locked'; readonly isLocked: boolean }
  /** When it started is read before its number can be another's: clock ticks since boot. */
  | { readonly type: 'spawned'; readonly pid: number; readonly startTime: string }
  /** `roleFailure`: why the role file could not be written; null: nothing was in the way. */
  | { readonly type: 'opened'; readonly roleFailure: string | null }
  /** The system's error: the file could not be opened or locked, or nothing was started. */
  | { readonly type: 'failed'; readonly code: string };
