import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { SessionRecord } from '../../src/lease/lease-store.ts';
import { isFresh } from '../../src/fence/own-sessions.ts';
import { monotonicNow } from '../../src/runtime/clock.ts';
import { SessionBook } from '../../src/workload/session-book.ts';

const STARTER = { group: 'g', stateDir: '/nowhere', node: 'a', since: '1' };
/** Far longer than anything is taken for fresh. */
const LONG_MS = 3_600_000;

function record(pid: number): SessionRecord {
  const process = { pid, startTime: '1', bootId: 'boot', pidNamespace: '1' };
  return { process, kind: 'workload', active: false, keep: false, stopsWithSupervisor: false };
}

describe('SessionBook', () => {
  it('writes the whole list at each change, and nothing for an end', () => {
    const written: (readonly SessionRecord[])[] = [];
    const book = new SessionBook({ setSessions: (sessions) => written.push(sessions) }, STARTER);
    book.add(record(1));
    book.add(record(2));
    book.setActive(2, true);
    book.markEnded(1, null);
    expect(book.ended()).toEqual([record(1)]);
    book.drop([1, 9]);
    expect(written).toEqual([
      [record(1)],
      [record(1), record(2)],
      [record(1), { ...record(2), active: true }],
      [{ ...record(2), active: true }],
    ]);
  });

  it('keeps what it had when the ledger can not be written', () => {
    let full = false;
    const setSessions = (): void => {
      if (full) throw new Error('no space left');
    };
    const book = new SessionBook({ setSessions }, STARTER);
    book.add(record(1));
    full = true;
    expect(() => {
      book.add(record(2));
    }).toThrow('no space left');
    expect(() => {
      book.setActive(1, true);
    }).toThrow('no space left');
    expect(book.records()).toEqual([record(1)]);
    book.drop([1]);
    expect(book.records()).toEqual([]);
  });

  it('that hears of an end late knows nothing of the session since, and as much after it has heard of it again', () => {
    const now = vi.spyOn(process, 'hrtime').mockReturnValue([1_000, 0]);
    onTestFinished(() => {
      now.mockRestore();
    });
    const book = new SessionBook({ setSessions: () => undefined }, STARTER);
    const started = record(1);
    book.add(started);
    const endedAtMs = monotonicNow();
    now.mockReturnValue([1_000 + LONG_MS / 1_000, 0]);
    book.markEnded(1, endedAtMs);
    expect(isFresh(started)).toBe(false);
    book.markEnded(1, null);
    expect(isFresh(started)).toBe(false);
    book.setActive(1, true);
    expect(book.records().map(isFresh)).toEqual([false]);
    book.markEnded(1, monotonicNow());
    expect(book.records().map(isFresh)).toEqual([true]);
  });
});
