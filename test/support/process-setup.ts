// What a group of real nodes, and each of them, is started with.

/** Faster than the defaults, and far from what a busy machine can't keep. */
export const TIMINGS: Options = {
  'heartbeat-interval': '100ms',
  'heartbeat-timeout': '600ms',
  'probe-interval': '1s',
  'probe-timeout': '200ms',
  'retry-backoff': '50ms..400ms',
  'stop-grace': '2s',
  'fence-grace': '500ms',
  'successor-window': '500ms',
  'promote-timeout': '5s',
  'demote-timeout': '2s',
};

type Options = Readonly<Record<string, string>>;

export interface NodeSetup {
  readonly options?: Options;
  /** A script for `sh`, in which `$W` is the witness; or the words of a command; null: none. */
  readonly run?: string | readonly string[] | null;
  readonly env?: NodeJS.ProcessEnv;
  /** False: it makes up its id. */
  readonly isNamed?: boolean;
  /** The words of a program that becomes the node, given the words of its command. */
  readonly through?: readonly string[];
}

export interface GroupSetup {
  /** Of every node of the group. */
  readonly options?: Options;
  readonly env?: NodeJS.ProcessEnv;
  /** How long a condition is waited for, where that may take longer than a minute. */
  readonly patienceMs?: number;
  /** Runs the nodes as another user, with a socket directory of their own. */
  readonly asUser?: number;
}
