// `failover events`: what happened in a group of late, on every machine whose nodes or server tell of it.
import type { ClientOptions } from '../../config/load.ts';
import { FailoverError } from '../../errors.ts';
import type { StoreEvent } from '../../lease/remote-store.ts';
import { ask, livingNodes } from '../client.ts';
import type { GroupSnapshot, SeenNode } from '../client.ts';
import { readNodeEvents } from '../node-events.ts';
import { note } from '../say.ts';
import { lookEverywhere } from '../store-sight.ts';
import { absenceWarnings } from '../warnings.ts';

/** Of `events --json`. Keys are added in later versions, never changed or removed. */
interface GroupEvents {
  readonly v: 1;
  readonly group: string;
  /** The oldest first. */
  readonly events: readonly GroupEvent[];
  /** Why the server of the lease could not be asked; null: it was, or there is none. */
  readonly problem: string | null;
}

export interface GroupEvent {
  /** Wall clock of whoever tells it, ISO 8601. */
  readonly time: string;
  readonly node: string;
  readonly source: 'node' | 'server';
  /** What was noted at the server, or the phase that the node went over to. */
  readonly action: string;
  readonly epoch: number;
  /** Null: a server notes none. Where there is no server, a node tells what it saw of the others. */
  readonly reason: string | null;
}

/** Prints what is told; exit code 1 where a server can not be asked, 3 where nobody tells anything. */
export async function events(options: ClientOptions & { readonly json: boolean }): Promise<void> {
  const snapshot = await lookEverywhere(options);
  const told = await Promise.all(livingNodes(snapshot).map((node) => toldBy(node, snapshot)));
  const seen = snapshot.store?.kind === 'peers' ? 'as a peer saw it' : null;
  const noted = (snapshot.store?.events ?? []).map((event) => notedEvent(event, seen));
  const all = [...told.flat(), ...noted].sort((a, b) => Date.parse(a.time) - Date.parse(b.time));
  const problem = snapshot.store?.problem ?? null;
  if (options.json) {
    const shown: GroupEvents = { v: 1, group: snapshot.group, events: all, problem };
    process.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
  } else {
    const { eventLines } = await import('../render/events-text.ts');
    for (const line of eventLines(all, new Date())) process.stdout.write(`${line}\n`);
    for (const warning of absenceWarnings(snapshot)) note(warning);
    if (problem !== null) note(`${problem}.`);
  }
  if (problem !== null) process.exitCode = 1;
  else if (all.length === 0) process.exitCode = 3;
}

/** How long a node may take to tell, ms. */
const ANSWER_LIMIT_MS = 1_000;

/** One that does not answer tells nothing here: `failover explain` reads its journal. */
async function toldBy(
  { record, status }: SeenNode,
  { group }: GroupSnapshot,
): Promise<readonly GroupEvent[]> {
  if (status === null) return [];
  const question = { group, method: 'instance.events', timeoutMs: ANSWER_LIMIT_MS } as const;
  try {
    const { transitions } = readNodeEvents(await ask(record, question));
    return transitions.map(({ time, to, epoch, reason }) => {
      return { time, node: record.node, source: 'node', action: to, epoch, reason };
    });
  } catch (error) {
    if (error instanceof FailoverError) return [];
    throw error;
  }
}

function notedEvent({ node, action, epoch, atMs }: StoreEvent, reason: string | null): GroupEvent {
  const time = new Date(atMs).toISOString();
  return { time, node, source: 'server', action, epoch, reason };
}
