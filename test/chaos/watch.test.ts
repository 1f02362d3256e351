// The watch: how long nothing was active, from hand-made lines of the witness.
import { describe, expect, it } from 'vitest';
import type { WitnessLine } from '../support/process-witness.ts';
import { monotonicMs, Watch } from './watch.ts';

/** Ahead of this process's own clock, so that nothing comes before the watch. */
const T = Math.ceil(performance.now()) + 1_000_000;

const line = (what: WitnessLine['what'], atMs: number, pid: number): WitnessLine => ({
  ...{ what, pid, epoch: pid },
  at: BigInt(Math.round((T + atMs - monotonicMs(0n)) * 1e6)),
});

/** A watch that looks at these times, ms, at a log that is written meanwhile, and at who runs. */
function watched(
  lines: readonly WitnessLine[],
  looks: readonly (readonly [atMs: number, running: readonly number[]])[],
): Watch {
  let nowMs = 0;
  let runs: readonly number[] = [];
  const watch = new Watch(
    () => lines.filter(({ at }) => monotonicMs(at) <= T + nowMs + 0.001),
    (pid) => runs.includes(pid),
  );
  for (const [atMs, running] of looks) {
    nowMs = atMs;
    runs = running;
    watch.look(T + atMs);
  }
  return watch;
}

const losses = (watch: Watch): readonly number[] => watch.lossesMs.map(Math.round);

describe('a loss lasts until the next start', () => {
  it('from the end that the witness wrote down', () => {
    const lines = [line('start', 0, 1), line('end', 103, 1), line('start', 155, 2)];
    const looks = [
      [100, [1]],
      [110, []],
      [160, [2]],
    ] as const;
    expect(losses(watched(lines, looks))).toEqual([52]);
  });

  it('from when one that was killed was last seen', () => {
    const lines = [line('start', 0, 1), line('start', 155, 2)];
    const looks = [
      [100, [1]],
      [110, []],
      [160, [2]],
    ] as const;
    expect(losses(watched(lines, looks))).toEqual([55]);
  });

  it('also when all of it happened between two looks', () => {
    const lines = [line('start', 0, 1), line('end', 103, 1), line('start', 107, 2)];
    expect(
      losses(
        watched(lines, [
          [100, [1]],
          [110, [2]],
        ]),
      ),
    ).toEqual([4]);
  });

  it('from when it was stopped, if it did not go on before it ended', () => {
    const lines = [line('start', 0, 1), line('start', 300, 2)];
    const looks = [
      [100, [1]],
      [110, []],
      [200, []],
      [310, [2]],
    ] as const;
    expect(losses(watched(lines, looks))).toEqual([200]);
  });
});

it('neither what goes on, nor the first start, nor an overlap is a loss', () => {
  const lines = [line('start', 50, 1), line('overlap', 205, 2)];
  const watch = watched(lines, [
    [60, [1]],
    [70, []],
    [200, [1]],
    [210, [2]],
  ]);
  expect(losses(watch)).toEqual([]);
  // But nothing was active while it was stopped.
  expect(Math.round(watch.downMs(T + 60))).toBe(140);
});
