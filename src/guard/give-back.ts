// Gives a lease back for a supervisor that can't. What it takes is loaded then: a guard that waits stays small.
import type { ReturnOrder } from './messages.ts';

/** True: the store has done it. Never rejects: what can't be given back ends by itself. */
export async function giveBack(order: ReturnOrder): Promise<boolean> {
  return returning(order)();
}

/** What takes time is begun at once, and the lease given back by what it returns: by that `giveBack` is two halves. */
export function returning(order: ReturnOrder): () => Promise<boolean> {
  const ready = prepared(order);
  ready.catch(() => undefined);
  return async () => {
    try {
      const give = await ready;
      return await give();
    } catch {
      return false;
    }
  };
}

/** Loads what takes longer to load than a lease takes to be given back. */
export async function loadFor(order: ReturnOrder): Promise<void> {
  if (order.kind === 'postgres')
    await (await import('../lease/postgres/postgres-client.ts')).loadPackage();
}

async function prepared(order: ReturnOrder): Promise<() => Promise<boolean>> {
  switch (order.kind) {
    case 'redis': {
      const { giveBackToRedis } = await import('../lease/redis/give-back.ts');
      return () => giveBackToRedis(order);
    }
    case 'etcd': {
      const { giveBackToEtcd } = await import('../lease/etcd/give-back.ts');
      return () => giveBackToEtcd(order);
    }
    case 'postgres': {
      const { returnToPostgres } = await import('../lease/postgres/give-back.ts');
      return returnToPostgres(order);
    }
  }
}
