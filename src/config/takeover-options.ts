// The options of `failover run` about a takeover: how a lost primary is noticed, and what is done then.
import { FENCE_MODES, ORPHAN_MODES } from './choices.ts';
import { DURATION, GRACE, MAX_MS, RUN } from './row-kinds.ts';
import type { OptionRow } from './option-row.ts';

type Row = Omit<OptionRow, 'heading'>;

export const TAKEOVER_OPTIONS: readonly Row[] = [
  {
    ...RUN,
    variableReadBy: 'run and clients',
    key: 'lease',
    kind: 'string',
    default: 'file',
    placeholder: 'LEASE',
    sentence:
      'What decides who is primary: `file`, kernel locks in the state directory, or with --lease-ttl a lease in it that several machines see, as file:/DIRECTORY is elsewhere; static:NODE, that node and never another; `peers`, the nodes themselves, without a server; or a server: of Redis, redis://HOST:PORT or rediss://HOST:PORT, of etcd, etcd://HOST:PORT,… or etcds://HOST:PORT,…, or of PostgreSQL, postgres://HOST:PORT/DATABASE.',
  },
  {
    ...RUN,
    key: 'fence',
    kind: 'enum',
    choices: FENCE_MODES,
    default: 'kill',
    placeholder: 'MODE',
    sentence:
      'What is done to a primary that is silent on every channel: kill it; spare it while it is stopped (SIGSTOP, a debugger); or nothing. It holds for `promote --force` too.',
  },
  {
    ...RUN,
    key: 'orphan',
    kind: 'enum',
    choices: ORPHAN_MODES,
    default: 'stop',
    placeholder: 'MODE',
    sentence:
      'What happens to a command whose node died: stop it in order, kill it, or keep it and wait for its end.',
  },
  {
    ...RUN,
    key: 'retryBackoff',
    kind: 'duration-range',
    min: 10,
    max: MAX_MS,
    default: '1s..30s',
    placeholder: 'MIN..MAX',
    sentence: 'The pause after a failed attempt to lead: doubles from MIN to MAX.',
  },
  {
    ...GRACE,
    key: 'successorWindow',
    default: '2s',
    sentence: 'How long the others leave the lease to a named successor.',
  },
  {
    ...DURATION,
    key: 'priorityWindow',
    default: '1s',
    sentence:
      'With --strategy priority, how long a free lease is left to others at a start, and then once more to each better one.',
  },
  {
    ...DURATION,
    key: 'preemptDelay',
    min: 100,
    default: '30s',
    sentence:
      'How long a primary is left in peace before --preempt takes over; doubles while that leads to nothing lasting.',
  },
  {
    ...GRACE,
    key: 'fenceGrace',
    default: '5s',
    sentence:
      'Between SIGTERM and SIGKILL for what a dead primary left behind; --stop-grace if the kernel ' +
      'told it to stop when its supervisor died.',
  },
  {
    ...RUN,
    key: 'exitOnDemote',
    kind: 'boolean',
    default: 'false',
    sentence: 'End with exit code 6 when this node loses its lease or is fenced.',
  },
];

export const DETECTION_OPTIONS: readonly Row[] = [
  {
    ...DURATION,
    key: 'heartbeatInterval',
    default: '500ms',
    sentence: 'How often a node says that it lives.',
  },
  {
    ...DURATION,
    key: 'heartbeatTimeout',
    default: '2s',
    sentence: 'Silence of the primary after which it is probed; at least 2 heartbeat intervals.',
  },
  {
    ...DURATION,
    key: 'probeInterval',
    default: '5s',
    sentence: 'How often a primary whose heartbeats arrive is asked directly.',
  },
  {
    ...DURATION,
    key: 'probeTimeout',
    default: '500ms',
    sentence: 'How long one probe waits for its answer.',
  },
  {
    ...RUN,
    key: 'probeAttempts',
    kind: 'integer',
    min: 1,
    max: 100,
    default: '2',
    placeholder: 'N',
    sentence: 'Probes that must all fail before a silent primary counts as dead.',
  },
];

/** Of a lease that ends by itself: a server keeps it, or files that machines share, or the nodes agree on it. */
export const LEASE_OPTIONS: readonly Row[] = [
  {
    ...DURATION,
    key: 'leaseTtl',
    min: 100,
    default: null,
    defaultText: '3s; none with files',
    sentence:
      'How long the lease of a server lasts without a renewal. With files: that several machines share them.',
  },
  {
    ...DURATION,
    key: 'leaseTick',
    default: null,
    defaultText: 'a sixth of --lease-ttl, at most 500ms',
    sentence: 'How often it is renewed, give or take a fifth.',
  },
  {
    ...DURATION,
    key: 'leaseRequestTimeout',
    default: null,
    defaultText: 'as --lease-tick',
    sentence: 'How long a request to the server, or to shared files, waits for its answer.',
  },
  {
    ...DURATION,
    key: 'leaseMaxDrift',
    default: null,
    defaultText: 'half of --lease-ttl',
    sentence: 'How long a primary goes on without a renewal before it steps down.',
  },
];
