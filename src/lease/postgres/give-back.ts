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

async function connected({ address, timeoutMs }: PostgresReturn): Promise<PostgresConnection> {
  const open = await connectionsTo(address);
  const connection = open({ statementTimeoutMs: timeoutMs, channel: null });
  // It listens to nothing.
  await connection.connect(() => undefined);
  return connection;
}
