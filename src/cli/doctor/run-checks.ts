// Runs the checks side by side, each within its time.
import { formatDuration } from '../../config/duration.ts';
import { messageOf } from '../../error-message.ts';
import { FailoverError } from '../../errors.ts';
import { monotonicNow } from '../../runtime/clock.ts';
import { failure, NotTried, refused, warning } from './check.ts';
import type { Check, Finding } from './check.ts';
import type { Place } from './place.ts';

export interface CheckResult extends Finding {
  readonly id: string;
  readonly tookMs: number;
}

/** In the order of the table, without those that do not apply. Never rejects. */
export async function runChecks(
  checks: readonly Check[],
  place: Place,
): Promise<readonly CheckResult[]> {
  const asked = checks.filter(({ appliesTo }) => appliesTo?.(place) ?? true);
  return Promise.all(asked.map((check) => runOne(check, place)));
}

async function runOne(check: Check, place: Place): Promise<CheckResult> {
  const startedMs = monotonicNow();
  const limit = new AbortController();
  const found = await Promise.race([findingOf(check, place), lateness(check, place, limit.signal)]);
  limit.abort();
  const tookMs = Math.round((monotonicNow() - startedMs) * 10) / 10;
  return { id: check.id, ...found, tookMs };
}

async function findingOf({ run }: Check, place: Place): Promise<Finding> {
  try {
    return await run(place);
  } catch (error) {
    if (error instanceof FailoverError) return refused(error);
    const fact = messageOf(error);
    if (error instanceof NotTried) {
      return warning(`Not tried: ${fact}`, `First fix what the check \`${error.first}\` reports.`);
    }
    return failure(fact, 'Report it with the version of failover and this message.');
  }
}

function lateness(
  { isOfOthers }: Check,
  { limitMs }: Place,
  signal: AbortSignal,
): Promise<Finding> {
  const judge = isOfOthers === true ? warning : failure;
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      const fact = `No result within ${formatDuration(limitMs)}`;
      resolve(judge(fact, 'Check what it waits for, or set a longer --timeout.'));
    }, limitMs);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
    });
  });
}
