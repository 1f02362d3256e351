// What is noted of an event, by its node or by the guard of that.
import type { StoreEvent } from '../remote-store.ts';

/** By the clock of the node: etcd shows none. */
export function eventText(node: string, action: StoreEvent['action'], epoch: number): string {
  return JSON.stringify({ node, action, epoch, at: Date.now() });
}
