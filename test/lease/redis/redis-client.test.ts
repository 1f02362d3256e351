// The client of Redis is installed only where it is used: what is said where it is missing.
import { expect, it } from 'vitest';
import { parseLease } from '../../../src/config/lease-url.ts';
import type { RedisAddress } from '../../../src/config/lease-url.ts';
import { connectionsTo } from '../../../src/lease/redis/redis-client.ts';

it('a missing client is named with the command that installs it', async () => {
  const missing = Object.assign(new Error("Cannot find package 'redis'"), {
    code: 'ERR_MODULE_NOT_FOUND',
  });
  await expect(connectionsTo(address(), 1, () => Promise.reject(missing))).rejects.toMatchObject({
    code: 'FAILOVER_CLIENT_MISSING',
    exitCode: 2,
    hint: 'Install it beside failover with `npm install redis@6`, with -g if failover is installed so.',
  });
});

it('a client that fails otherwise is not taken for a missing one', async () => {
  const broken = new SyntaxError('unexpected token');
  await expect(connectionsTo(address(), 1, () => Promise.reject(broken))).rejects.toBe(broken);
});

function address(): RedisAddress {
  const parsed = parseLease('redis://127.0.0.1:1');
  if (parsed.kind !== 'redis') throw new Error('not of Redis');
  return parsed;
}
