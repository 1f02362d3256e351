// Processes that a person is told of: without those that come and go with one that is named.
import { readStat } from './process-identity.ts';

/**
 * Without what another of them has forked within its session, and without those that have ended by now: a
 * shell has another child at every look, and each would be news. Never empty unless `pids` is: whoever
 * ended may have been followed by what it left, which the next look finds.
 */
export function withoutForks(pids: readonly number[]): readonly number[] {
  const all = new Set(pids);
  const named = [...all].filter((pid) => {
    const stat = readStat(pid);
    if (stat === null) return false;
    return !all.has(stat.parent) || readStat(stat.parent)?.session !== stat.session;
  });
  return named.length > 0 ? named : [...all];
}
