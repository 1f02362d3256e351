// What many nodes see of all processes together: those that come later are seen too.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { Index, KeptLook } from '../../src/fence/shared-look.ts';

it('sees all once, and then each that was started since', async () => {
  const seen = new Set<number>();
  let looks = 0;
  const look = new KeptLook({
    seeAll: () => {
      looks += 1;
    },
    see: (pid) => seen.add(pid).size > 0,
    limitMs: 600_000,
  });
  look.refresh();
  const child = spawn('sleep', ['100']);
  onTestFinished(() => {
    child.kill();
  });
  await new Promise((resolve) => child.once('spawn', resolve));
  look.refresh();
  // Unless the numbers of processes have gone round just now, and all were looked at again.
  expect(seen.has(child.pid ?? 0) || looks === 2).toBe(true);
});

it('looks at all again once that is too long ago', () => {
  let looks = 0;
  const seeAll = (): void => {
    looks += 1;
  };
  const look = new KeptLook({ seeAll, see: () => true, limitMs: 0 });
  look.refresh();
  look.refresh();
  expect(looks).toBeGreaterThanOrEqual(1);
});

it('finds things by any of their words, each once', () => {
  const index = new Index<number>();
  index.add('a', 1);
  index.add('b', 1);
  index.add('b', 2);
  expect(index.of(['a', 'b', 'c'])).toEqual([1, 2]);
  index.clear();
  expect(index.of(['a'])).toEqual([]);
});

it('looks at each look for one whose pid was given out and that was not there yet', () => {
  const there = new Set<number>();
  const seen: number[] = [];
  const look = new KeptLook({
    seeAll: () => undefined,
    see: (pid) => {
      if (there.has(pid)) seen.push(pid);
      return there.has(pid);
    },
    limitMs: 600_000,
  });
  look.refresh();
  // The last one that was given out before: as all, it was not there.
  const late = lastPid();
  there.add(late);
  look.refresh();
  look.refresh();
  expect([...new Set(seen)]).toEqual([late]);
});

function lastPid(): number {
  return Number(readFileSync('/proc/loadavg', 'latin1').trim().split(' ').at(-1));
}
