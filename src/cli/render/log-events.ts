// Every event that the log of a node or a proxy has, by its stable name: what it tells, and the fields beside the usual ones.

interface LogEventRow {
  /** When it is written. */
  readonly sentence: string;
  /** Its own fields. */
  readonly fields: Readonly<Record<string, string>>;
}

/** What a proxy counts. */
const COUNTS = {
  mode: 'http or tcp',
  requests: 'number of requests or connections received',
  answered: 'number answered or forwarded',
  held: 'number waiting now',
  everHeld: 'number that had to wait',
  longestHeldMs: 'the longest of these waits',
  refused: 'number refused, by code',
  '…': 'and its other counters',
};

/** The name of an event. */
export type LogEvent =
  | 'joined'
  | 'transition'
  | 'warning'
  | 'listening'
  | 'http'
  | 'lease'
  | 'stopping'
  | 'exit'
  | 'retry'
  | 'up'
  | 'reloading'
  | 'reloaded'
  | 'reload-refused'
  | 'holding'
  | 'serving'
  | 'refused'
  | 'counts'
  | 'ended'
  | 'proxy-ended';

export const LOG_EVENTS: Readonly<Record<LogEvent, LogEventRow>> = {
  joined: {
    sentence: 'The node has joined its group.',
    fields: { pid: 'its process' },
  },
  transition: {
    sentence: 'The node moved from one phase to another.',
    fields: {
      from: 'the phase before',
      to: 'the new phase',
      takeover:
        'with `to` serving: kind, from, to, epoch, reason and gapMs of this takeover; otherwise null',
    },
  },
  warning: { sentence: 'Something an operator should know; nothing has failed yet.', fields: {} },
  listening: {
    sentence:
      'The address where other machines reach the node; for a proxy, where clients reach it.',
    fields: { port: 'for a proxy: the port', pid: 'for a proxy: its process' },
  },
  http: {
    sentence: 'The address where the node, or a process with several groups, serves HTTP.',
    fields: {},
  },
  lease: { sentence: 'The kind of lease, if it is not in files on this machine.', fields: {} },
  stopping: {
    sentence:
      'A signal was received: the process shuts down gracefully; a second one stops it at once.',
    fields: {},
  },
  exit: {
    sentence: 'The last line of a node: why it exited.',
    fields: { exitCode: 'the exit code of the process' },
  },
  retry: {
    sentence: 'A group that could not be started, or has failed, is retried (`failover up`).',
    fields: { waitMs: 'in how long' },
  },
  up: {
    sentence: 'A process with several groups starts them.',
    fields: { pid: 'that process' },
  },
  reloading: {
    sentence: 'SIGHUP was received and the group file reloaded: what changes.',
    fields: {
      started: 'groups added to the file',
      stopped: 'groups removed from the file',
      restarted: 'groups with changed settings',
    },
  },
  reloaded: { sentence: 'The groups match the file.', fields: {} },
  'reload-refused': {
    sentence: 'The file was rejected and nothing changed: what is wrong with it.',
    fields: {},
  },
  holding: {
    sentence: 'A proxy holds requests because there is no primary.',
    fields: { target: 'null', held: 'how many wait' },
  },
  serving: {
    sentence: 'A proxy forwards to a primary.',
    fields: { target: 'where to', held: 'number that have waited' },
  },
  refused: {
    sentence: 'A proxy refuses requests: logged when it begins, then at most every 5 s.',
    fields: { code: 'the reason, as in the x-failover-error header' },
  },
  counts: {
    sentence: 'The counters of a proxy so far, on SIGUSR2; also for the proxy in a node.',
    fields: COUNTS,
  },
  ended: { sentence: 'The counters of a proxy, when it stops.', fields: COUNTS },
  'proxy-ended': { sentence: 'The same, for the proxy in a node (`run --proxy`).', fields: COUNTS },
};

/** In every line, in this order. */
export const LOG_FIELDS: Readonly<Record<string, string>> = {
  level: 'info, warn or error',
  time: 'when it happened, ISO 8601 in UTC with milliseconds',
  group: 'the group; `*` for the process of `failover up`',
  node: 'the node id; `proxy` in `failover proxy`, preceded by the node id for the proxy in a node; empty until a node has an id, and for the process of `failover up`',
  role: 'the role from here on; null until known. For a proxy: holding or serving',
  epoch: 'the epoch from here on; null until known',
  event: 'the event, see below',
  reason: 'the human-readable message: the last field of the line',
};
