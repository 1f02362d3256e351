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
      'Where the lease is kept: file (this machine; with --lease-ttl, files shared by several machines), file:/DIRECTORY (shared files in that directory; needs --lease-ttl), redis[s]://HOST:PORT, etcd[s]://HOST:PORT,…, postgres://HOST:PORT/DATABASE, peers (the nodes agree by themselves), or static:NODE (always that node).',
  },
  {
    ...RUN,
    key: 'fence',
    kind: 'enum',
    choices: FENCE_MODES,
    default: 'kill',
    placeholder: 'MODE',
    sentence:
      'What to do with a primary that is silent on every channel: kill it, kill it unless it is stopped (SIGSTOP, a debugger), or nothing. Also applies to `promote --force`.',
  },
  {
    ...RUN,
    key: 'orphan',
    kind: 'enum',
    choices: ORPHAN_MODES,
    default: 'stop',
    placeholder: 'MODE',
    sentence:
      'What to do with a command whose node died: stop it gracefully, kill it, or keep it and wait for it to exit.',
  },
  {
    ...RUN,
    key: 'retryBackoff',
    kind: 'duration-range',
    min: 10,
    max: MAX_MS,
    default: '1s..30s',
    placeholder: 'MIN..MAX',
    sentence: 'Delay after a failed promotion attempt; doubles from MIN to MAX.',
  },
  {
    ...GRACE,
    key: 'successorWindow',
    default: '2s',
    sentence: 'How long other nodes leave the lease to a named successor.',
  },
  {
    ...DURATION,
    key: 'priorityWindow',
    default: '1s',
    sentence:
      'With --strategy priority: how long a node leaves a free lease to others at start, and then again for each node with a better priority.',
  },
  {
    ...DURATION,
    key: 'preemptDelay',
    min: 100,
    default: '30s',
    sentence:
      'How long to wait before preempting a primary; doubles after each preemption that does not last.',
  },
  {
    ...GRACE,
    key: 'fenceGrace',
    default: '5s',
    sentence:
      'Time between SIGTERM and SIGKILL for processes left by a dead primary; --stop-grace if the kernel already sent them SIGTERM when their supervisor died.',
  },
  {
    ...RUN,
    key: 'exitOnDemote',
    kind: 'boolean',
    default: 'false',
    sentence: 'Exit with code 6 when this node loses its lease or is fenced.',
  },
];

export const DETECTION_OPTIONS: readonly Row[] = [
  {
    ...DURATION,
    key: 'heartbeatInterval',
    default: '500ms',
    sentence: 'Time between heartbeats.',
  },
  {
    ...DURATION,
    key: 'heartbeatTimeout',
    default: '2s',
    sentence: 'Silence after which the primary is probed; at least 2 heartbeat intervals.',
  },
  {
    ...DURATION,
    key: 'probeInterval',
    default: '5s',
    sentence: 'Time between probes of a primary whose heartbeats arrive.',
  },
  {
    ...DURATION,
    key: 'probeTimeout',
    default: '500ms',
    sentence: 'Time limit for one probe.',
  },
  {
    ...RUN,
    key: 'probeAttempts',
    kind: 'integer',
    min: 1,
    max: 100,
    default: '2',
    placeholder: 'N',
    sentence: 'Consecutive failed probes before a silent primary counts as dead.',
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
      'How long a lease lasts without renewal. With files: enables leases shared by several machines.',
  },
  {
    ...DURATION,
    key: 'leaseTick',
    default: null,
    defaultText: 'a sixth of --lease-ttl, at most 500ms',
    sentence: 'Time between lease renewals, varied by up to 20%.',
  },
  {
    ...DURATION,
    key: 'leaseRequestTimeout',
    default: null,
    defaultText: 'as --lease-tick',
    sentence: 'Time limit for one request to the lease server or shared files.',
  },
  {
    ...DURATION,
    key: 'leaseMaxDrift',
    default: null,
    defaultText: 'half of --lease-ttl',
    sentence: 'How long a primary keeps running without a renewal before it steps down.',
  },
];
