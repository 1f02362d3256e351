// What a lease in Redis and an election are told from a program, and how that is checked.
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { timingOf } from '../config/lease-timing.ts';
import type { LeaseTiming } from '../config/lease-timing.ts';
import { parseLease } from '../config/lease-url.ts';
import type { RedisAddress } from '../config/lease-url.ts';
import { refuseUrl } from '../config/refused-url.ts';
import { runOptionsOf } from '../config/run-options.ts';
import type { StoredNode } from '../lease/remote-store.ts';
import { packageVersion } from '../version.ts';
import { ownNodeId } from './own-node-id.ts';

export interface RedisLeaseOptions {
  /** `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]`, or `rediss://` for TLS. No message shows the password. */
  readonly url: string;
  /** All that compete have the same; it is the group of the command line. */
  readonly project: string;
  /** By default `<hostname>-<pid>`, with a number from the second one of a process on. */
  readonly nodeId?: string;
  /** A lower number goes first with the strategy `priority`; 0 never leads. By default 1. */
  readonly priority?: number;
  /** How long the lease lasts without a renewal, whole milliseconds, at least 100. By default 3000. */
  readonly ttlMs?: number;
  /** How long its holder goes on without a renewal. By default half of `ttlMs`. */
  readonly maxDriftMs?: number;
  /** Between two renewals of an election, give or take a fifth. By default a sixth of `ttlMs`, at most 500. */
  readonly tickMs?: number;
  /** How long each request waits for its answer. By default as `tickMs`. */
  readonly requestTimeoutMs?: number;
  /** Closes it when it is aborted. */
  readonly signal?: AbortSignal;
}

/** The same, checked, with all that was left out. */
export interface LeaseTerms extends LeaseTiming {
  readonly address: RedisAddress;
  readonly project: string;
  readonly record: StoredNode;
}

/**
 * @throws FAILOVER_BAD_OPTION, FAILOVER_BAD_GROUP, FAILOVER_BAD_NODE_ID, FAILOVER_SETTINGS_CONFLICT; none of
 *   them shows a password
 */
export function leaseTermsOf(given: RedisLeaseOptions): LeaseTerms {
  const address = redisAddress(given.url);
  const { group, node, priority, ...options } = runOptionsOf({
    lease: given.url,
    group: given.project,
    node: given.nodeId ?? ownNodeId(),
    priority: given.priority ?? FIRST_PRIORITY,
    leaseTtlMs: given.ttlMs ?? null,
    leaseMaxDriftMs: given.maxDriftMs ?? null,
    leaseTickMs: given.tickMs ?? null,
    leaseRequestTimeoutMs: given.requestTimeoutMs ?? null,
    // A program has callbacks where a command line has a command.
    promoteCommand: 'callback',
  });
  const record: StoredNode = {
    node: node ?? '',
    run: randomBytes(8).toString('hex'),
    host: hostname(),
    version: packageVersion(),
    // It listens nowhere: what there is to know of it is in the store.
    endpoints: { bus: '', rpc: '' },
    standby: 'cold',
    priority,
    startedAt: new Date().toISOString(),
  };
  return { ...timingOf(options), address, project: group, record };
}

/** @throws FAILOVER_BAD_OPTION */
function redisAddress(url: string): RedisAddress {
  const address = parseLease(url, 'url');
  if (address.kind === 'redis') return address;
  const expected = '`redis://HOST:PORT` or `rediss://HOST:PORT`';
  throw refuseUrl(url, 'url', { fact: 'is not a Redis address', expected });
}

const FIRST_PRIORITY = 1;
