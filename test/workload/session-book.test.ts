import { describe, expect, it } from 'vitest';
import type { SessionRecord } from '../../src/lease/lease-store.ts';
import { SessionBook } from '../../src/workload/session-book.ts';

function record(pid: number): SessionRecord {
  const process = { pid, startTime: '1', bootId: 'boot', pidNamespace: '1' };
  return { process, kind: 'workload', active: false, keep: false, stopsWithSupervisor: false };
}

describe('SessionBook', () => {
  it('writes the whole list at each change, and nothing for an end', () => {
    const written: (readonly SessionRecord[])[] = [];
    const book = new SessionBook({ setSessions: (sessions) => written.push(sessions) });
    book.add(record(1));
    book.add(record(2));
    book.setActive(2, true);
    book.markEnded(1);
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
    const book = new SessionBook({
      setSessions: () => {
        if (full) throw new Error('no space left');
      },
    });
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
});
