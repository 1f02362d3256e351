// What a supervisor and a guard say to each other: a line of JSON each.
import type { Readable } from 'node:stream';
import type { EtcdMembers } from '../config/etcd-url.ts';
import type { PostgresAddress } from '../config/lease-url.ts';
import type { Sight } from '../fence/own-sessions.ts';
import type { Starter } from '../fence/started-by.ts';
import type { SessionRecord } from '../lease/lease-store.ts';
import type { DemotionNote } from '../workload/environment.ts';

/** How a lease is given back: all that it takes. */
export type ReturnOrder = RedisReturn | EtcdReturn | PostgresReturn | TimedFileReturn | PeersReturn;

/** One request to a server that speaks RESP. */
export interface RedisReturn {
  readonly kind: 'redis';
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** What has to be said first, each answered: who it is, and which database. */
  readonly greeting: readonly (readonly string[])[];
  readonly request: readonly string[];
  readonly timeoutMs: number;
}

/** A few requests to a member of a cluster of etcd that answers HTTP. */
export interface EtcdReturn extends EtcdMembers {
  /** The lease of etcd on which that of the group hangs, and the keys of that and of what is noted. */
  readonly token: string;
  readonly lease: string;
  readonly event: string;
  readonly node: string;
  readonly epoch: number;
  /** For each member. */
  readonly timeoutMs: number;
}

/** One statement. */
export interface PostgresReturn {
  readonly kind: 'postgres';
  readonly address: PostgresAddress;
  readonly text: string;
  readonly values: readonly string[];
  readonly timeoutMs: number;
}

/** A file that says of one acquisition that it is over. */
export interface TimedFileReturn {
  readonly kind: 'timed-file';
  readonly beat: string;
  /** Where those who wait are told, and what is noted. */
  readonly changed: string;
  readonly events: string;
  readonly node: string;
  readonly epoch: number;
  readonly timeoutMs: number;
}

/** A good-bye to each of the other nodes. */
export interface PeersReturn {
  readonly kind: 'peers';
  readonly group: string;
  readonly node: string;
  readonly run: string;
  readonly target: string;
  /** Above all that the node itself says before it gives up this very term. */
  readonly seq: number;
  readonly epoch: number;
  /** The addresses of the peers. */
  readonly peers: readonly string[];
  /** Bytes, as base64. */
  readonly secret: string;
  /** For each request. */
  readonly timeoutMs: number;
}

/** What the guard starts, behind its gate. */
export interface SpawnOrder {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** False: what it starts outlives it, where the system can't end it then. */
  readonly deathSignal: boolean;
  /** Whether the descriptor of the lock is to be handed on. */
  readonly hasLock: boolean;
  /** The identities of the workload lock's files that the node has handed on: what has left holds one. */
  readonly lockFiles: readonly string[];
  readonly starter: Starter;
}

/** What else the node has started, and what it has seen of that: by then a guard may not have looked itself. */
export interface NamedSession extends SessionRecord {
  /** Left out: it has seen nothing, or is of a version that does not tell. */
  readonly sight?: Sight;
}

/** What the guard does first where its supervisor is gone. */
export interface DemoteOrder extends DemotionNote {
  readonly timeoutMs: number;
  /** How long before the deadline it is over, ms: what runs has that long to end. */
  readonly spareMs: number;
  /** Inherited as everything of the node inherits it: what leaves the session of the command is known by it. */
  readonly lockFile: string;
}

export type ToGuard =
  | { readonly type: 'spawn'; readonly order: SpawnOrder }
  /** The text that opens the gate; not after the deadline. */
  | { readonly type: 'open'; readonly text: string; readonly isActive: boolean }
  | { readonly type: 'close' }
  /** The guard ends: nothing of its own runs any more, or what does is to end with it. */
  | { readonly type: 'dismiss' }
  /** The time by which all of it has ended, on the clock of `BootClock`, ms. */
  | { readonly type: 'deadline'; readonly at: number; readonly number: number }
  /** There is no term, and no deadline. */
  | { readonly type: 'rest' }
  /** How long it may take to end in order when the supervisor is gone, and what is done then. */
  | {
      readonly type: 'term';
      readonly stopGraceMs: number;
      readonly return: ReturnOrder | null;
      /** As of now. */
      readonly sessions: readonly NamedSession[];
      /** Of one guard of a node at most. */
      readonly demote: DemoteOrder | null;
      /** True: another guard of the node has to demote, and sees to all but the process of this one. */
      readonly isSecond: boolean;
    };

/** Times are on the clock of `monotonicNow`, ms. */
export type FromGuard =
  | { readonly type: 'ready' }
  /** When it started is read before its number can be another's: clock ticks since boot. */
  | { readonly type: 'spawned'; readonly pid: number; readonly startTime: string }
  | { readonly type: 'failed'; readonly code: string }
  /** From `at` on its number may be another's. */
  | {
      readonly type: 'ended';
      readonly exitCode: number | null;
      readonly signal: string | null;
      readonly at: number;
    }
  /** It has taken a deadline: that it says so is its sign of life, and of its process that has not ended, as of `at`. */
  | { readonly type: 'heard'; readonly number: number; readonly at: number }
  /** It did not open the gate: the deadline has passed, or there is none. */
  | { readonly type: 'refused' }
  /** The deadline has passed, and what it was told of has ended. */
  | { readonly type: 'expired' };

/**
 * Calls back with each message of a stream of lines; what is none is left out. Bounded. Both sides are of one
 * installation, and nobody else has the pipe: what it is, the reader knows by its side.
 */
export function lineReader(deliver: (message: unknown) => void): (chunk: string) => void {
  let rest = '';
  return (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LINE_LIMIT) rest = '';
    for (const line of lines) {
      try {
        deliver(JSON.parse(line));
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
      }
    }
  };
}

/** Delivers each message that comes by a pipe; where that breaks, there are no more. */
export function readReport(report: Readable, deliver: (message: unknown) => void): void {
  report.setEncoding('utf8');
  report.on('data', lineReader(deliver));
  report.on('error', () => undefined);
}

/** More than a command line and an environment may have. */
const LINE_LIMIT = 8 * 1024 * 1024;
