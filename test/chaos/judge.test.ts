// The judge of the starts: it sees two at once and an epoch that does not rise, and knows the one excuse.
import { describe, expect, it } from 'vitest';
import type { WitnessLine } from '../support/process-witness.ts';
import { pidsToEnd } from './arena.ts';
import { faultsOfStarts, isOwnEnd, isRefusedConnection } from './judge.ts';
import { monotonicMs } from './watch.ts';

const line = (atMs: number, epoch: number, what: WitnessLine['what'] = 'start'): WitnessLine => ({
  ...{ what, epoch, pid: epoch },
  at: BigInt(Math.round((atMs - monotonicMs(0n)) * 1e6)),
});

describe('the starts', () => {
  it('are well when each has a higher epoch than all before', () => {
    expect(faultsOfStarts([line(1000, 1), line(2000, 2, 'end'), line(3000, 5)], [])).toEqual([]);
  });

  it('are not when one begins while another is active', () => {
    const faults = faultsOfStarts([line(1000, 1), line(2000, 2, 'overlap')], []);
    expect(faults).toEqual(['pid 2 began epoch 2 while another was active']);
  });

  it('are not when an epoch comes again', () => {
    const faults = faultsOfStarts([line(1000, 3), line(2000, 3)], []);
    expect(faults).toEqual(['pid 3 began epoch 3 after epoch 3']);
  });

  it('may begin again after the directory was removed and all who knew have ended', () => {
    const starts = [line(1000, 3), line(5000, 1), line(6000, 2)];
    const ended = { atMs: 2000, knowers: [{ endedMs: 1500 }, { endedMs: 3000 }] };
    expect(faultsOfStarts(starts, [ended])).toEqual([]);
    const living = { atMs: 2000, knowers: [{ endedMs: 1500 }, { endedMs: null }] };
    expect(faultsOfStarts(starts, [living])).toHaveLength(2);
  });

  it('may not when somebody has led since the removal', () => {
    const removal = { atMs: 2000, knowers: [{ endedMs: 4000 }] };
    const starts = [line(1000, 3), line(3000, 4), line(5000, 1)];
    expect(faultsOfStarts(starts, [removal])).toEqual(['pid 1 began epoch 1 after epoch 4']);
  });
});

describe('the end of a node', () => {
  it('is its own when it had an exit code and nobody told it to end', () => {
    expect([isOwnEnd(0, false), isOwnEnd(1, false), isOwnEnd(0, true)]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('is excused where it may open nothing, for a connection that it could not accept alone', () => {
    const stray = 'Too many open files (/build/libzmq/src/ipc_listener.cpp:314)\n';
    expect(isRefusedConnection({ end: 'SIGABRT', stray })).toBe(true);
    expect(isRefusedConnection({ end: 'SIGSEGV', stray })).toBe(false);
    const other = 'Assertion failed: false (/build/libzmq/src/mailbox.cpp:10)\n';
    expect(isRefusedConnection({ end: 'SIGABRT', stray: other })).toBe(false);
  });

  it('is its own when it broke down, whatever it was told', () => {
    expect([isOwnEnd('SIGABRT', true), isOwnEnd('SIGSEGV', false)]).toEqual([true, true]);
    expect([isOwnEnd('SIGKILL', false), isOwnEnd('SIGTERM', true)]).toEqual([false, false]);
  });
});

describe('what a person is told to end', () => {
  it('are those who hold a removed lock file, and no other that a warning names', () => {
    const said =
      'no node starts until pid 12 (sleep 9), pid 13 (sleep 9) have exited: they hold deleted lock files of this group. Stop them with `kill 12 13` if they are not needed';
    expect(pidsToEnd(said)).toEqual([12, 13]);
    const unrecorded =
      'its environment names this group, but the record of its starter was removed';
    const byHand = [12, 13].map((pid) => `pid ${pid} (sleep 9): ${unrecorded}; kill it manually`);
    expect(pidsToEnd(byHand.join('; '))).toEqual([12, 13]);
    expect(pidsToEnd('pid 12 (sleep 9) ignores SIGTERM: `kill 12`')).toEqual([]);
  });
});
