// The clocks: what decides goes by one that is never set, and what ends by itself by one that sees a suspension.
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { execa } from 'execa';
import { formatDuration } from '../../../config/duration.ts';
import { monotonicNow } from '../../../runtime/clock.ts';
import { ok, warning } from '../check.ts';
import type { Check, Finding } from '../check.ts';

export const CLOCK_CHECKS: readonly Check[] = [
  {
    id: 'boot-clock',
    question: 'Is there a clock that keeps running while the machine is suspended?',
    run: () => judgeUptime(readUptimeMs(), monotonicNow()),
  },
  {
    id: 'wall-clock',
    question: 'Is the wall clock steady? (It is only displayed and decides nothing.)',
    run: async () => {
      const jumpMs = await watchWallClock();
      return jumpMs === null ? judgeSynchronization(await isSynchronized()) : jumped(jumpMs);
    },
  },
];

/** As the kernel tells it, ms with 10 ms steps; null: it can't be read. */
function readUptimeMs(): number | null {
  try {
    const seconds = Number.parseFloat(readFileSync('/proc/uptime', 'latin1'));
    return Number.isFinite(seconds) ? seconds * 1e3 : null;
  } catch {
    return null;
  }
}

/** Exported for its tests. */
export function judgeUptime(uptimeMs: number | null, monotonicMs: number): Finding {
  if (uptimeMs === null) {
    return warning(
      '/proc/uptime cannot be read: a lease with a time to live would not notice a suspension',
      "Use the kernel's /proc, without another file mounted over /proc/uptime.",
    );
  }
  const suspendedMs = uptimeMs - monotonicMs;
  if (suspendedMs < -BEHIND_MS) {
    const behind = formatDuration(Math.round(-suspendedMs));
    return warning(
      `/proc/uptime is ${behind} behind the monotonic clock: something has replaced the kernel's file`,
      "With a lease on a server, use the kernel's /proc/uptime: otherwise a suspension goes unnoticed.",
    );
  }
  const since = suspendedMs > BEHIND_MS ? formatDuration(Math.round(suspendedMs)) : 'never';
  return ok(
    since === 'never'
      ? 'A suspension would be detected; there was none since boot'
      : `A suspension is detected; the machine was suspended for ${since} since boot`,
  );
}

/** Far more than the kernel rounds to, and than a read may be late. */
const BEHIND_MS = 1_000;

/** How far it was set meanwhile, ms; null: it was not. */
async function watchWallClock(): Promise<number | null> {
  const offset = (): number => Date.now() - monotonicNow();
  const before = offset();
  await wait(WATCHED_MS);
  const jumpMs = Math.round(offset() - before);
  return Math.abs(jumpMs) > JUMP_MS ? jumpMs : null;
}

const WATCHED_MS = 200;
const JUMP_MS = 50;

function jumped(jumpMs: number): Finding {
  return warning(
    `The wall clock was set by ${String(jumpMs)} ms within ${String(WATCHED_MS)} ms`,
    'Configure its time service to slew, so that times in logs can be compared.',
  );
}

/** Null: nobody says so here. */
async function isSynchronized(): Promise<boolean | null> {
  const { stdout, exitCode } = await execa(
    'timedatectl',
    ['show', '--property=NTPSynchronized', '--value'],
    { reject: false, timeout: 1_000, stdin: 'ignore', stderr: 'ignore', verbose: 'none' },
  );
  if (exitCode !== 0 || stdout === '') return null;
  return stdout.trim() === 'yes';
}

/** Exported for its tests. */
export function judgeSynchronization(isSet: boolean | null): Finding {
  if (isSet === null) {
    return ok('The wall clock is steady; whether a time service sets it is not known here');
  }
  if (isSet) return ok('The wall clock is steady and synchronized');
  return warning(
    'The wall clock is not synchronized: times in logs of several machines cannot be compared',
    'Enable a time service, for example with `timedatectl set-ntp true`.',
  );
}
