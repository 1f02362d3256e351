// What helps where the holder of the lease does not answer: only what the nodes that stand by may do.
import { humanMs } from '../core/duration-text.ts';
import { isFields } from '../transport/checks.ts';
import type { GroupSnapshot, SeenNode } from './client.ts';
import { continueHint, isStopped, livingNodes } from './client.ts';
import { uncapitalized } from './say.ts';

/** One imperative sentence or two. */
export function remedyFor(holder: SeenNode, snapshot: GroupSnapshot): string {
  const { pid } = holder.record.supervisor;
  const remedy = isStopped(holder) ? continueHint(pid) : 'Inspect the process.';
  const secondaries = livingNodes(snapshot).filter(({ status }) => status?.role === 'secondary');
  const able = secondaries.filter((secondary) => mayFence(secondary, isStopped(holder)));
  const [first] = able;
  if (secondaries.length === 0) return remedy;
  if (first === undefined) {
    return `No node may kill it (--fence). ${remedy.slice(0, -1)}, or kill it with \`kill -KILL ${pid}\`.`;
  }
  // Without a name the next in succession is promoted: that one may be forbidden to end it.
  const name = able.length === secondaries.length ? '' : `${first.record.node} `;
  const command = `failover promote ${name}--force --group ${snapshot.group}`;
  const byItself = takeoverAhead(able);
  const wait = byItself === null ? '' : `${byItself} `;
  return `${wait}Promote another with \`${command}\`, or ${uncapitalized(remedy)}`;
}

/** Who acts on the silence by itself, as its bound says; null: nobody that is known to, or it should have by now. */
function takeoverAhead(able: readonly SeenNode[]): string | null {
  for (const { record, status } of able) {
    const { hangMs } = status?.takeover ?? { hangMs: null };
    const silentMs = status?.lastHeartbeatMs ?? null;
    if (status?.willing !== true || hangMs === null || silentMs === null) continue;
    const leftMs = hangMs - silentMs;
    if (leftMs > 0) {
      return `${record.node} takes over within at most ${humanMs(leftMs)}, unless it answers again.`;
    }
  }
  return null;
}

/** Whether a forced promotion of this node would end the holder; believed where it does not say. */
function mayFence({ status }: SeenNode, holderIsStopped: boolean): boolean {
  // It is passed on unread from another process.
  const setup: unknown = status?.setup;
  const fence = isFields(setup) ? setup['fence'] : undefined;
  return fence !== 'none' && !(holderIsStopped && fence === 'kill-unless-stopped');
}
