// The client of PostgreSQL is installed only where it is used: what is said where it is missing.
import { expect, it } from 'vitest';
import { parseLease } from '../../../src/config/lease-url.ts';
import type { PostgresAddress } from '../../../src/config/lease-url.ts';
import { connectionsTo } from '../../../src/lease/postgres/postgres-client.ts';

it('a missing client is named with the command that installs it', async () => {
  const missing = Object.assign(new Error("Cannot find package 'pg'"), {
    code: 'ERR_MODULE_NOT_FOUND',
  });
  await expect(connectionsTo(address(), () => Promise.reject(missing))).rejects.toMatchObject({
    code: 'FAILOVER_CLIENT_MISSING',
    exitCode: 2,
    hint: 'Install it alongside failover with `npm install pg@8` (add -g if failover is installed globally).',
  });
});

function address(): PostgresAddress {
  const parsed = parseLease('postgres://127.0.0.1:1/app');
  if (parsed.kind !== 'postgres') throw new Error('not of PostgreSQL');
  return parsed;
}
