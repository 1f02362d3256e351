// Whether the processes that have the number of a session of this process's own are still that session.
import { performance } from 'node:perf_hooks';
import type { SessionRecord } from '../lease/lease-store.ts';
import type { ProcessStat } from './process-identity.ts';
import { compareSession } from './session-members.ts';

/** When a session was last known to exist, and who was in it then. */
interface Sight {
  readonly atMs: number;
  readonly members: ReadonlySet<string>;
}

const sights = new WeakMap<SessionRecord, Sight>();

/** Long enough for a few looks, and far too short for a number to go round. */
const FRESH_MS = 5_000;

/** Notes a session while its first process is there, or was until this very moment: its number is nobody else's. */
export function noteSession(record: SessionRecord): void {
  sights.set(record, { atMs: performance.now(), members: new Set() });
}

/** Whether it was known to exist a moment ago. */
export function isFresh(record: SessionRecord): boolean {
  const sight = sights.get(record);
  return sight !== undefined && performance.now() - sight.atMs < FRESH_MS;
}

/**
 * Whether these members of a session with its number are its own. Where they prove nothing by themselves,
 * one of them must have been in it at the last look, or that look must be fresh: a session that nobody
 * looked at may have ended, and its number may be a stranger's by now.
 */
export function isStillOurs(record: SessionRecord, members: readonly ProcessStat[]): boolean {
  const verdict = compareSession(record.process, members);
  if (verdict === 'other') return false;
  const keys = members.map(({ pid, startTime }) => `${String(pid)}/${startTime}`);
  const known = sights.get(record)?.members;
  const ours = verdict === 'same' || isFresh(record) || keys.some((key) => known?.has(key));
  if (ours) sights.set(record, { atMs: performance.now(), members: new Set(keys) });
  return ours;
}
