// Gives a lease back for a supervisor that can't. What it takes is loaded then: a guard that waits stays small.
import type { ReturnOrder } from './messages.ts';

/** True: the store has done it. Never rejects: what can't be given back ends by itself. */
export async function giveBack(order: ReturnOrder): Promise<boolean> {
  try {
    switch (order.kind) {
      case 'redis':
        return await (await import('../lease/redis/give-back.ts')).giveBackToRedis(order);
      case 'etcd':
        return await (await import('../lease/etcd/give-back.ts')).giveBackToEtcd(order);
    }
  } catch {
    return false;
  }
}
