// Whether a process answers: what counts as an answer, as silence, and as neither.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FailoverError } from '../../src/errors.ts';
import type { ErrorCode } from '../../src/errors.ts';
import { askTogether } from '../../src/fence/answers.ts';
import type { Question } from '../../src/fence/answers.ts';
import { ownIdentity } from '../../src/fence/process-identity.ts';
import type * as Clock from '../../src/runtime/clock.ts';

const TIMEOUT_MS = 100;

/** For how long this process did nothing else, and its timers did not fire. */
const blocked = vi.hoisted(() => ({ ms: 0 }));

vi.mock('../../src/runtime/clock.ts', async (original) => {
  const clock = await original<typeof Clock>();
  return { ...clock, monotonicNow: () => clock.monotonicNow() + blocked.ms };
});

const lack = vi.hoisted((): { error: Error | null } => ({ error: null }));

vi.mock('../../src/spare-descriptors.ts', () => ({ lackOfDescriptors: () => lack.error }));

beforeEach(() => {
  vi.useFakeTimers();
  lack.error = null;
});
afterEach(() => {
  vi.useRealTimers();
});

describe('askTogether', () => {
  it('takes a result for an answer', async () => {
    const ping = vi.fn(() => Promise.resolve({}));
    expect(await told(askTogether(question(ping)))).toBe('answered');
    expect(ping).toHaveBeenCalledOnce();
  });

  it('takes an error that it answers for an answer', async () => {
    const ping = vi.fn(() => Promise.reject(errorOf('FAILOVER_NO_NODE')));
    expect(await told(askTogether(question(ping)))).toBe('answered');
    expect(ping).toHaveBeenCalledOnce();
  });

  it('takes two times no answer for silence', async () => {
    const ping = vi.fn(stayQuiet);
    expect(await told(askTogether(question(ping)))).toBe('silent');
    expect(ping.mock.calls).toEqual([[TIMEOUT_MS], [TIMEOUT_MS]]);
  });

  it('does not take one time no answer for silence', async () => {
    const ping = vi.fn(stayQuiet).mockImplementationOnce(stayQuiet).mockResolvedValueOnce({});
    expect(await told(askTogether(question(ping)))).toBe('answered');
    expect(ping).toHaveBeenCalledTimes(2);
  });

  it('gives one that does not listen as much time as one that does not answer', async () => {
    const startedMs = Date.now();
    const ping = vi.fn(() => Promise.reject(errorOf('FAILOVER_NODE_UNREACHABLE')));
    expect(await told(askTogether(question(ping)))).toBe('silent');
    expect(ping).toHaveBeenCalledTimes(2);
    expect(Date.now() - startedMs).toBeGreaterThanOrEqual(2 * TIMEOUT_MS);
  });

  it('does not know of one that it could not ask', async () => {
    const ping = vi.fn(() => Promise.reject(new Error('too many open files')));
    expect(await told(askTogether(question(ping)))).toBe('unknown');
    expect(ping).toHaveBeenCalledTimes(3);
  });

  it('does not know of one where this process has no descriptors to connect with', async () => {
    lack.error = new Error('too many open files');
    const ping = vi.fn(() => Promise.reject(errorOf('FAILOVER_NODE_UNREACHABLE')));
    expect(await told(askTogether(question(ping)))).toBe('unknown');
    expect(ping).toHaveBeenCalledTimes(3);
  });

  it.each([
    ['before it waits', 0],
    ['while it waits', TIMEOUT_MS / 2],
  ])('does not know of one that it was too late to hear: blocked %s', async (_when, afterMs) => {
    const ping = vi.fn((timeoutMs: number) => {
      setTimeout(() => {
        blocked.ms += TIMEOUT_MS;
      }, afterMs);
      return stayQuiet(timeoutMs);
    });
    expect(await told(askTogether(question(ping)))).toBe('unknown');
    expect(ping).toHaveBeenCalledTimes(3);
  });

  it('believes a silence that it was in time for after one that it was too late for', async () => {
    const ping = vi.fn(stayQuiet).mockImplementationOnce((timeoutMs) => {
      blocked.ms += 10 * TIMEOUT_MS;
      return stayQuiet(timeoutMs);
    });
    expect(await told(askTogether(question(ping)))).toBe('silent');
    expect(ping).toHaveBeenCalledTimes(3);
  });

  it('asks once for all who ask about the same process, also a moment later', async () => {
    const ping = vi.fn(() => Promise.resolve({}));
    const asked = question(ping);
    const all = Promise.all(Array.from({ length: 1000 }, () => askTogether(asked)));
    expect(new Set(await told(all))).toEqual(new Set(['answered']));
    expect(await told(askTogether(asked))).toBe('answered');
    expect(ping).toHaveBeenCalledOnce();
    await vi.advanceTimersByTimeAsync(1000);
    expect(await told(askTogether(asked))).toBe('answered');
    expect(ping).toHaveBeenCalledTimes(2);
  });

  it('asks anew after a silence, and about another process that has the same pid', async () => {
    const ping = vi.fn(stayQuiet);
    const asked = question(ping);
    expect(await told(askTogether(asked))).toBe('silent');
    ping.mockResolvedValue({});
    expect(await told(askTogether(asked))).toBe('answered');
    expect(ping).toHaveBeenCalledTimes(3);
    const later = { ...asked, process: { ...asked.process, startTime: 'later' } };
    expect(await told(askTogether(later))).toBe('answered');
    expect(ping).toHaveBeenCalledTimes(4);
  });
});

let pid = 0;

/** About a process of its own each time: nothing is shared among the tests. */
function question(ping: Question['ping']): Question {
  pid += 1;
  return { process: { ...ownIdentity(), pid }, timeoutMs: TIMEOUT_MS, ping };
}

function errorOf(code: ErrorCode): FailoverError {
  return new FailoverError(code, 'No answer');
}

/** Nothing is heard for all the time there is. */
function stayQuiet(timeoutMs: number): Promise<unknown> {
  return new Promise((_resolve, reject) => {
    setTimeout(() => {
      reject(errorOf('FAILOVER_TIMED_OUT'));
    }, timeoutMs);
  });
}

/** Lets the time pass until it is told. */
async function told<Found>(answering: Promise<Found>): Promise<Found> {
  const settled = vi.fn();
  const found = answering.finally(settled);
  for (let ms = 0; ms < 10_000 && settled.mock.calls.length === 0; ms += 1) {
    await vi.advanceTimersByTimeAsync(1);
  }
  return found;
}
