// `failover events`: what happened in a group recently, on every machine whose nodes or server tell of it.
import type { ClientOptions } from '../../config/load.ts';
import { timeOfDays } from '../render/clock-time.ts';
import { note } from '../say.ts';
import { lookEverywhere } from '../store-sight.ts';
import { blocksOf } from '../timeline/blocks.ts';
import type { Block, Claim } from '../timeline/blocks.ts';
import { inOrder, timeOf } from '../timeline/event.ts';
import type { GroupEvent } from '../timeline/event.ts';
import { gather } from '../timeline/gather.ts';
import { parseSince } from '../timeline/since.ts';
import { absenceWarnings } from '../warnings.ts';

export interface EventsOptions extends ClientOptions {
  readonly json: boolean;
  readonly follow: boolean;
  /** As it was given; null: all that is known. */
  readonly since: string | null;
}

/** Of `events --json`. Keys are added in later versions, never changed or removed. */
interface GroupEvents {
  readonly v: 1;
  readonly group: string;
  /** The oldest first. */
  readonly events: readonly GroupEvent[];
  /** The claims of the lease that these events are of, by epoch. */
  readonly claims: readonly Claim[];
  /** Why the server of the lease could not be asked; null: it was, or there is none. */
  readonly problem: string | null;
}

/**
 * Prints what is told; exit code 1 where a server can not be asked, 3 where nobody tells anything.
 *
 * @throws FAILOVER_BAD_OPTION for a `since` that is no time
 */
export async function events(options: EventsOptions): Promise<void> {
  const nowMs = Date.now();
  const sinceMs = options.since === null ? -Infinity : parseSince(options.since, nowMs);
  if (options.follow) {
    const { followEvents } = await import('./events-follow.ts');
    await followEvents(options, sinceMs);
    return;
  }
  const snapshot = await lookEverywhere(options);
  const { strands } = await gather(snapshot);
  const blocks = blocksSince(blocksOf(inOrder(strands)), sinceMs);
  const all = blocks.flatMap((block) => block.events);
  const problem = snapshot.store?.problem ?? null;
  if (options.json) {
    const claims = blocks.flatMap(({ claim }) => claim ?? []);
    const shown: GroupEvents = { v: 1, group: snapshot.group, events: all, claims, problem };
    process.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
  } else {
    await print(blocks, new Date(nowMs));
    for (const warning of absenceWarnings(snapshot)) note(warning);
    if (all.length === 0 && options.since !== null && strands.length > 0) {
      note(nothingSince(snapshot.group, sinceMs, nowMs));
    }
    if (problem !== null) note(`${problem}.`);
  }
  if (problem !== null) process.exitCode = 1;
  else if (all.length === 0) process.exitCode = 3;
}

/** Something is known of the group, and all of it is older. */
function nothingSince(group: string, sinceMs: number, nowMs: number): string {
  const since = timeOfDays(new Date(sinceMs), new Date(nowMs));
  return `Nothing has happened in group ${group} since ${since}: leave out --since for what came before.`;
}

/** A claim of which nothing is left to be told is left out with its events. */
function blocksSince(blocks: readonly Block[], sinceMs: number): readonly Block[] {
  return blocks
    .map((block) => ({ ...block, events: block.events.filter((one) => timeOf(one) >= sinceMs) }))
    .filter((block) => block.events.length > 0);
}

async function print(blocks: readonly Block[], now: Date): Promise<void> {
  const [{ blockLines }, { colorLevel }, { paintFor }] = await Promise.all([
    import('../render/events-text.ts'),
    import('../render/color.ts'),
    import('../render/plain.ts'),
  ]);
  const paint = await paintFor(colorLevel(process.stdout));
  for (const line of blockLines(blocks, paint, now)) process.stdout.write(`${line}\n`);
}
