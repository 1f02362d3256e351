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
  requests: 'how many requests, or connections, came',
  answered: 'how many were answered, or passed on',
  held: 'how many wait now',
  everHeld: 'how many had to wait',
  longestHeldMs: 'the longest of these waits',
  refused: 'by code, how many were refused',
  '…': 'and its other counts',
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
    sentence: 'The node takes part in its group.',
    fields: { pid: 'its process' },
  },
  transition: {
    sentence: 'The node has come from one phase to another.',
    fields: {
      from: 'the phase before',
      to: 'the phase from here on',
      takeover:
        'with `to` serving: kind, from, to, epoch, reason and gapMs of this takeover; else null',
    },
  },
  warning: { sentence: 'Something a person should know; nothing has failed yet.', fields: {} },
  listening: {
    sentence: 'Where other machines reach the node; of a proxy, where clients do.',
    fields: { port: 'of a proxy: the port', pid: 'of a proxy: its process' },
  },
  http: {
    sentence: 'Where the node, or a process of several groups, answers over HTTP.',
    fields: {},
  },
  lease: { sentence: 'What lease it is, where it is not in files of this machine.', fields: {} },
  stopping: {
    sentence:
      'A signal was received: the process shuts down gracefully; a second one stops it at once.',
    fields: {},
  },
  exit: {
    sentence: 'The last line of a node: why it ended.',
    fields: { exitCode: 'what the process ends with' },
  },
  retry: {
    sentence: 'A group of several that could not be started, or has failed, is tried again.',
    fields: { waitMs: 'in how long' },
  },
  up: {
    sentence: 'A process of several groups starts them.',
    fields: { pid: 'that process' },
  },
  reloading: {
    sentence: 'SIGHUP came, and the file of groups was read again: what changes.',
    fields: {
      started: 'groups that are new in it',
      stopped: 'groups that are not in it any more',
      restarted: 'groups whose settings have changed',
    },
  },
  reloaded: { sentence: 'The groups are as the file says.', fields: {} },
  'reload-refused': {
    sentence: 'The file was not taken, and nothing is changed: what is wrong with it.',
    fields: {},
  },
  holding: {
    sentence: 'A proxy holds what comes: nobody leads.',
    fields: { target: 'null', held: 'how many wait' },
  },
  serving: {
    sentence: 'A proxy passes on to a primary.',
    fields: { target: 'where to', held: 'how many have waited' },
  },
  refused: {
    sentence: 'A proxy has refused something: once when it begins, then at most every 5 s.',
    fields: { code: 'why, as in the header x-failover-error' },
  },
  counts: {
    sentence: 'What a proxy has counted so far, at SIGUSR2, also of the proxy in a node.',
    fields: COUNTS,
  },
  ended: { sentence: 'What a proxy has counted, at its end.', fields: COUNTS },
  'proxy-ended': { sentence: 'The same, of the proxy in a node (`run --proxy`).', fields: COUNTS },
};

/** In every line, in this order. */
export const LOG_FIELDS: Readonly<Record<string, string>> = {
  level: 'info, warn or error',
  time: 'when it happened, ISO 8601 in UTC with milliseconds',
  group: 'the group; `*` for the process of `failover up`',
  node: 'the id of the node; `proxy` in `failover proxy`, with the id before it in a proxy of a node; empty until a node has one, and for the process of `failover up`',
  role: 'the role from here on; null until it is known. Of a proxy: holding or serving',
  epoch: 'the epoch from here on; null until one is known',
  event: 'which of the events below it is',
  reason: 'the sentence for people: the last field of the line',
};
