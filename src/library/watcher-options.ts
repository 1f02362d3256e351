// What a watcher is told, and how that becomes the options of a node.
import type { RunOptions } from '../config/load.ts';
import { onlyGiven } from '../config/only-given.ts';
import { runOptionsOf } from '../config/run-options.ts';
import type { GivenRunOptions } from '../config/run-options.ts';
import type { NodeTransport } from '../transport/node-transport.ts';
import type { DemoteCallback, PromoteCallback } from './callback-workload.ts';
import { ownNodeId } from './own-node-id.ts';
import type { ProbePrimary } from './probed-bus.ts';

/** Durations that a watcher takes, whole milliseconds, with the defaults of the command line. */
type Timings = Pick<
  RunOptions,
  | 'heartbeatIntervalMs'
  | 'heartbeatTimeoutMs'
  | 'probeIntervalMs'
  | 'probeTimeoutMs'
  | 'retryBackoffMinMs'
  | 'retryBackoffMaxMs'
  | 'promoteTimeoutMs'
  | 'stopGraceMs'
  | 'fenceGraceMs'
  | 'drainMs'
  | 'successorWindowMs'
  | 'priorityWindowMs'
  | 'preemptDelayMs'
>;

export interface WatcherOptions extends Partial<Timings> {
  /** `default` if it is left out. */
  readonly group?: string;
  /** By default the state directory of this user. */
  readonly stateDir?: string;
  /** By default `<hostname>-<pid>`, with a number from the second watcher of a process on. */
  readonly nodeId?: string;
  readonly priority?: number;
  readonly strategy?: RunOptions['strategy'];
  readonly preempt?: boolean;
  readonly probeAttempts?: number;
  /**
   * What may be done to a primary that is silent on every channel. By default nothing: a program is not
   * killed by another one unless its author said so.
   */
  readonly fence?: RunOptions['fence'];
  /** Sockets to share, such as a `Transport`; null: none at all. By default the watcher opens its own. */
  readonly bus?: NodeTransport | null;
  /** Where its own sockets are made; by default the runtime directory of this user. */
  readonly socketDir?: string;
  /** False: it follows and claims nothing until `setEnabled(true)`. */
  readonly enabled?: boolean;
  readonly promote?: PromoteCallback;
  readonly demote?: DemoteCallback;
  readonly probePrimary?: ProbePrimary;
  /** Shuts the watcher down when it is aborted. */
  readonly signal?: AbortSignal;
}

/** What a term's callbacks get to end in, ms: shorter than for processes, which may have to drain. */
const STOP_GRACE_MS = 1_000;

/** The callback stands where a command line has its promote command. */
const CALLBACK = 'callback';

/** @throws what `runOptionsOf` throws: it checks values and relations. */
export function nodeOptionsOf(role: 'primary' | 'secondary', options: WatcherOptions): RunOptions {
  return runOptionsOf({
    fence: 'none',
    stopGraceMs: STOP_GRACE_MS,
    ...onlyGiven(settingsIn(options)),
    role,
    node: options.nodeId ?? ownNodeId(),
    promoteCommand: CALLBACK,
  });
}

/** What the options of a watcher and those of a node have in common. */
function settingsIn(options: WatcherOptions): GivenRunOptions {
  const entries = Object.entries(options).filter(([key]) => !OWN_KEYS.has(key));
  // A name that neither has, from a program without types, is refused by `runOptionsOf`.
  return Object.fromEntries(entries);
}

const OWN_KEYS: ReadonlySet<string> = new Set<keyof WatcherOptions>([
  'nodeId',
  'bus',
  'socketDir',
  'enabled',
  'promote',
  'demote',
  'probePrimary',
  'signal',
]);
