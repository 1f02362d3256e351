// What a server of Redis tells of itself.
import type { RedisAddress } from '../../../config/lease-url.ts';
import { connectionsTo } from '../../../lease/redis/redis-client.ts';
import { refusalOf, wordsFor } from '../../../lease/redis/redis-errors.ts';
import { channelOf } from '../../../lease/redis/scripts.ts';
import { StoreLink } from '../../../lease/store-link.ts';
import { failure, ok, warning } from '../check.ts';
import type { Finding } from '../check.ts';
import { aheadOf, roundTripOf } from './store-facts.ts';
import type { StoreFacts } from './store-facts.ts';

/** @throws FAILOVER_CLIENT_MISSING, FAILOVER_STORE_UNREACHABLE, FAILOVER_STORE_REFUSED */
export async function redisFacts(
  address: RedisAddress,
  group: string,
  limitMs: number,
): Promise<StoreFacts> {
  const { shown } = address;
  const open = await connectionsTo(address, limitMs);
  const link = new StoreLink({
    open: () => open(channelOf(group)),
    shown,
    connectTimeoutMs: limitMs,
    onChange: () => undefined,
    refusalOf: (error) => refusalOf(shown, error),
    wordsFor,
  });
  const ask = (...words: string[]): Promise<unknown> =>
    link.within(limitMs, (connection) => connection.sendCommand(words));
  try {
    const information = readInformation(String(await ask('INFO')));
    // Each role may ask for the time, which a user that may do no more can be asked for as well.
    const roundTripMs = await roundTripOf(() => ask('TIME'));
    const aheadMs = await aheadOf(async () => readTime(await ask('TIME')));
    const version = `Redis ${information.get('redis_version') ?? 'of an unknown version'}`;
    return { version, roundTripMs, aheadMs, settings: judgeRedis(information) };
  } finally {
    link.close();
  }
}

/** Lines of `name:value`. Exported for its tests. */
export function readInformation(text: string): ReadonlyMap<string, string> {
  const lines = text.split(/\r?\n/).filter((line) => line.includes(':'));
  return new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  );
}

/** The gravest first: one thing at a time is mended. Exported for its tests. */
export function judgeRedis(of: ReadonlyMap<string, string>): Finding {
  const major = Number.parseInt(of.get('redis_version') ?? '', 10);
  if (major < LEAST_MAJOR) {
    const fact = `It is Redis ${String(of.get('redis_version'))}`;
    return failure(fact, 'Upgrade the server to Redis 6 or later.');
  }
  if (of.get('role') === 'slave') {
    return failure(
      'It is a replica, which cannot keep a lease',
      'Use the address of the primary server.',
    );
  }
  if (of.get('cluster_enabled') === '1') {
    return warning(
      'It is a node of a cluster: the keys of a group may be on another one',
      'Use a server that is not part of a cluster.',
    );
  }
  const policy = of.get('maxmemory_policy') ?? 'noeviction';
  if (policy !== 'noeviction' && of.get('maxmemory') !== '0') {
    return warning(
      `maxmemory-policy is ${policy}: when its memory is full the server may drop a lease`,
      'Set `maxmemory-policy noeviction`.',
    );
  }
  if (of.get('aof_enabled') === '0') {
    return warning(
      'It keeps no append-only file: after a crash the highest epoch is restored only from live nodes',
      'Set `appendonly yes`.',
    );
  }
  return ok(`maxmemory-policy is ${policy}, and an append-only file is kept`);
}

const LEAST_MAJOR = 6;

/** Seconds and microseconds. */
function readTime(answer: unknown): number {
  const [seconds, microseconds] = Array.isArray(answer) ? answer.map(Number) : [];
  return (seconds ?? Number.NaN) * 1e3 + (microseconds ?? 0) / 1e3;
}
