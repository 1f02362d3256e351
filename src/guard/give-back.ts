// Gives a lease back for a supervisor that can't. What it takes is loaded for a term: a guard that waits stays small.
import { setTimeout as pause } from 'node:timers/promises';
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

/**
 * Loads it ahead: when it is needed there may be no descriptor left for it, and where loading failed once it fails for
 * good; or the files of another version may be there.
 */
export async function loadFor(order: ReturnOrder): Promise<void> {
  switch (order.kind) {
    case 'redis':
      await import('../lease/redis/give-back.ts');
      return;
    case 'etcd': {
      await pause(LOAD_DELAY_MS, undefined, { ref: false });
      const { rehearseEtcd } = await import('../lease/etcd/give-back.ts');
      await rehearseEtcd(order);
      return;
    }
    case 'timed-file':
      await import('../lease/timed-file/give-back.ts');
      return;
    case 'postgres': {
      // Loading the client takes as much CPU as all the rest of a takeover: what starts now has the machine first.
      await pause(LOAD_DELAY_MS, undefined, { ref: false });
      const { rehearsePostgres } = await import('../lease/postgres/give-back.ts');
      await rehearsePostgres(order);
      return;
    }
    case 'peers':
      await import('../lease/peers/give-back.ts');
  }
}

/** Longer than a takeover takes. */
const LOAD_DELAY_MS = 1_000;

async function prepared(order: ReturnOrder): Promise<() => Promise<boolean>> {
  switch (order.kind) {
    case 'redis': {
      const { giveBackToRedis } = await import('../lease/redis/give-back.ts');
      return () => giveBackToRedis(order);
    }
    case 'etcd': {
      const { returnToEtcd } = await import('../lease/etcd/give-back.ts');
      return returnToEtcd(order);
    }
    case 'timed-file': {
      const { giveBackToFiles } = await import('../lease/timed-file/give-back.ts');
      return () => giveBackToFiles(order);
    }
    case 'postgres': {
      const { returnToPostgres } = await import('../lease/postgres/give-back.ts');
      return returnToPostgres(order);
    }
    case 'peers': {
      const { giveBackToPeers } = await import('../lease/peers/give-back.ts');
      return () => giveBackToPeers(order);
    }
  }
}
