// Whether the processes that have the number of a session of this process's own are still that session.
import type { ProcessIdentity, SessionRecord } from '../lease/lease-store.ts';
import { monotonicNow } from '../runtime/clock.ts';
import type { ProcessStat } from './process-identity.ts';
import { compareSession } from './session-members.ts';
import { isStartedBy } from './started-by.ts';
import type { Starter } from './started-by.ts';

/** When a session was last known to exist, and who was in it then: it can be told to another process. */
export interface Sight {
  /** On the clock of `monotonicNow`. */
  readonly atMs: number;
  readonly members: readonly string[];
}

/** What is known of a session whatever its record says of it by now: that changes, its first process does not. */
const sights = new WeakMap<ProcessIdentity, Sight>();
const starters = new WeakMap<ProcessIdentity, Starter>();

/** Long enough for a few looks, and far too short for a number to go round. */
const FRESH_MS = 5_000;

/** Its first process was there at that time, or had not been waited for: its number was nobody else's. */
export function noteSession({ process }: SessionRecord, atMs: number = monotonicNow()): void {
  const known = sights.get(process);
  if (known !== undefined && known.atMs >= atMs) return;
  sights.set(process, { atMs, members: known?.members ?? [] });
}

/** By what its members are known where nothing else is. */
export function noteStarter({ process }: SessionRecord, starter: Starter): void {
  starters.set(process, starter);
}

/** Null: there is none. */
export function sightOf({ process }: SessionRecord): Sight | null {
  return sights.get(process) ?? null;
}

/** Takes over what another process has seen of it, where that is the later sight. */
export function adoptSight({ process }: SessionRecord, sight: Sight): void {
  if ((sights.get(process)?.atMs ?? -Infinity) < sight.atMs) sights.set(process, sight);
}

/** Whether it was known to exist a moment ago. */
export function isFresh({ process }: SessionRecord): boolean {
  const sight = sights.get(process);
  return sight !== undefined && monotonicNow() - sight.atMs < FRESH_MS;
}

/**
 * Whether these members of a session with its number are its own. Where they prove nothing by themselves, one of them
 * must have been in it at the last look, or that look must be fresh, or the environment of one must say who has started
 * it: a session that nobody looked at may have ended, and its number may be a stranger's by now.
 */
export function isStillOurs(record: SessionRecord, members: readonly ProcessStat[]): boolean {
  const verdict = compareSession(record.process, members);
  if (verdict === 'other') return false;
  const keys = members.map(({ pid, startTime }) => `${String(pid)}/${startTime}`);
  const known = sights.get(record.process)?.members ?? [];
  const starter = starters.get(record.process);
  const ours =
    verdict === 'same' ||
    isFresh(record) ||
    keys.some((key) => known.includes(key)) ||
    (starter !== undefined && members.some((member) => isStartedBy(member, starter)));
  if (ours) sights.set(record.process, { atMs: monotonicNow(), members: keys });
  return ours;
}
