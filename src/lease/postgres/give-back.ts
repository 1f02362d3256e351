// Gives a lease in PostgreSQL back from another process than the one that has it.
import { setTimeout as wait } from 'node:timers/promises';
import type { PostgresReturn } from '../../guard/messages.ts';
import { connectionsTo } from './postgres-client.ts';
import type { PostgresConnection } from './postgres-client.ts';

/** Connects, while there is something else to do; what it returns gives the lease back, and never rejects. */
export function returnToPostgres(order: PostgresReturn): () => Promise<boolean> {
  const early = connected(order);
  early.catch(() => undefined);
  return async () => {
    const limit = new AbortController();
    const late = wait(order.timeoutMs, false, { signal: limit.signal }).catch(() => false);
    // A connection that has waited may have ended: there is time for another.
    const given = release(order, early).catch(() => release(order, connected(order)));
    try {
      return await Promise.race([given, late]);
    } catch {
      return false;
    } finally {
      limit.abort();
    }
  };
}

/** Does all of it but the giving back: what was never run is slow the first time. */
export async function rehearsePostgres(order: PostgresReturn): Promise<void> {
  (await connected(order)).destroy();
}

async function release(
  { text, values }: PostgresReturn,
  opening: Promise<PostgresConnection>,
): Promise<true> {
  const connection = await opening;
  try {
    await connection.query(text, values);
    return true;
  } finally {
    connection.destroy();
  }
}

async function connected({ address }: PostgresReturn): Promise<PostgresConnection> {
  const open = await connectionsTo(address);
  const connection = open(null);
  // This connection listens to nothing.
  await connection.connect(() => undefined);
  return connection;
}
