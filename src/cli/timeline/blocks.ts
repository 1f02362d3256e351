// The timeline in blocks, one for each claim of the lease: from what made a node claim it to what followed.
import type { Takeover } from '../../core/state.ts';
import { timeOf } from './event.ts';
import type { GroupEvent } from './event.ts';

/** Who was lost, who claimed, when the command ran. Keys are added in later versions, never changed or removed. */
export interface Claim {
  readonly epoch: number;
  readonly kind: Takeover['kind'] | null;
  /** Who led before; null: nobody, or not known. */
  readonly from: string | null;
  readonly by: string;
  /** Who tells of it: of what only the server noted nobody here knows what came of it. */
  readonly source: GroupEvent['source'];
  readonly reason: string | null;
  /** When its cause was seen, when the lease was granted, when the command was started and when it led; wall clock. */
  readonly noticedAt: string;
  readonly grantedAt: string;
  readonly startedAt: string | null;
  readonly ledAt: string | null;
  /** From the old command's end, or the last sign of it, to the start of the new command; null: not known. */
  readonly gapMs: number | null;
}

export interface Block {
  /** Null: what came before the first claim that is known. */
  readonly claim: Claim | null;
  readonly events: readonly GroupEvent[];
}

/** Every event in its block, both in their order. @param events The oldest first. */
export function blocksOf(events: readonly GroupEvent[]): readonly Block[] {
  const claims = claimsIn(events);
  const starts = claims.map(({ noticedAt }) => Date.parse(noticedAt));
  const blocks: { claim: Claim | null; events: GroupEvent[] }[] = [
    { claim: null, events: [] },
    ...claims.map((claim) => ({ claim, events: [] })),
  ];
  for (const event of events) {
    const place = starts.findLastIndex((startMs) => startMs <= timeOf(event));
    blocks[place + 1]?.events.push(event);
  }
  return blocks.filter(({ claim, events: own }) => claim !== null || own.length > 0);
}

/** By epoch, which is the order in which they were made. */
export function claimsIn(events: readonly GroupEvent[]): readonly Claim[] {
  const grants = new Map<number, GroupEvent>();
  for (const event of events) {
    // What a server noted counts where nobody else tells of it.
    if (isGrant(event) && (grants.get(event.epoch)?.source ?? 'server') === 'server') {
      if (!grants.has(event.epoch) || event.source === 'node') grants.set(event.epoch, event);
    }
  }
  const inTurn = [...grants.values()].sort((a, b) => a.epoch - b.epoch);
  const claims: Claim[] = [];
  for (const grant of inTurn) claims.push(claimOf(grant, events, claims.at(-1) ?? null));
  return claims;
}

/** The phases of one that has the lease and does not lead yet: the first that is known is taken for the grant. */
const GRANTED: ReadonlySet<string> = new Set(['clearing', 'starting', 'promoting']);

function isGrant({ source, action, from }: GroupEvent): boolean {
  if (source === 'server') return action === 'granted';
  return GRANTED.has(action) || (action === 'serving' && GRANTED.has(from ?? ''));
}

function claimOf(grant: GroupEvent, events: readonly GroupEvent[], before: Claim | null): Claim {
  const { epoch, node } = grant;
  const own = events.filter(({ run, source }) => source === 'node' && run === grant.run);
  const place = own.indexOf(grant);
  const later = own.slice(Math.max(0, place)).filter((event) => event.epoch === epoch);
  const led = later.find(({ action }) => action === 'serving') ?? null;
  const started = later.find(({ action }) => action === 'starting') ?? null;
  const cause = causeOf(own.slice(0, Math.max(0, place)));
  const stepsDown = before === null ? null : steppingDown(events, before, grant);
  const noticed = [cause, stepsDown, grant]
    .flatMap((event) => event ?? [])
    .reduce((first, event) => (timeOf(event) < timeOf(first) ? event : first));
  const takeover = led?.takeover ?? null;
  return {
    epoch,
    kind: takeover?.kind ?? (stepsDown === null ? null : 'switchover'),
    from: takeover === null ? leaderOf(before) : takeover.from,
    by: node,
    source: grant.source,
    reason: takeover?.reason ?? cause?.reason ?? null,
    noticedAt: noticed.time,
    grantedAt: grant.time,
    startedAt: started?.time ?? null,
    ledAt: led?.time ?? null,
    gapMs: takeover?.gapMs ?? null,
  };
}

/** Null: nobody claimed, or it came to nothing. */
function leaderOf(claim: Claim | null): string | null {
  return (claim?.ledAt ?? null) === null ? null : (claim?.by ?? null);
}

/** What leads to a claim, in a row before it. */
const CAUSES: ReadonlySet<string> = new Set(['acquiring', 'fencing', 'suspecting', 'asking']);

/** How long one may leave the lease to others, ms, for that to be of the same story. */
const TURN_LIMIT_MS = 10_000;

function causeOf(earlier: readonly GroupEvent[]): GroupEvent | null {
  const first = earlier.findLastIndex((event) => !isCause(event));
  return earlier[first + 1] ?? null;
}

function isCause({ action, durationMs }: GroupEvent): boolean {
  if (action === 'waiting') return durationMs !== null && durationMs <= TURN_LIMIT_MS;
  return CAUSES.has(action);
}

/** The primary before gave up the lease in order: that is part of the change. */
function steppingDown(
  events: readonly GroupEvent[],
  { epoch, by, grantedAt }: Claim,
  grant: GroupEvent,
): GroupEvent | null {
  const since = Date.parse(grantedAt);
  const found = events.findLast((event) => {
    const isIts = event.node === by && event.epoch === epoch && event.action === 'demoting';
    return isIts && timeOf(event) >= since && timeOf(event) <= timeOf(grant);
  });
  return found ?? null;
}
