// What many nodes see of all processes together: those that come later are seen too.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { expect, it, onTestFinished, vi } from 'vitest';
import { Index, KeptLook } from '../../src/fence/shared-look.ts';
import { until } from '../support/until.ts';

it('sees all once, and then each that was started since', async () => {
  const { look, seen, all } = watched();
  look.refresh();
  const { pid } = await started('sleep', ['100']);
  look.refresh();
  // Unless the numbers of processes have gone round just now, and all were looked at again.
  expect(seen.includes(pid) || all.length === 2).toBe(true);
});

it('looks at all again once that is too long ago, or no more than what is new is wanted', () => {
  const { look, all } = watched({ limitMs: 0 });
  look.refresh();
  look.expire();
  look.refresh();
  expect(all).toHaveLength(2);
});

it('takes a look that failed half-way for none', () => {
  const { look, all } = watched({ fails: 1 });
  expect(() => {
    look.refresh();
  }).toThrow('no more descriptors');
  look.refresh();
  expect(all).toHaveLength(2);
});

it('looks again for one whose pid was given out and that could not be seen yet', async () => {
  const hidden = new Set<number>();
  const { look, seen, all } = watched({ hidden });
  look.refresh();
  const { pid } = await started('sleep', ['100']);
  hidden.add(pid);
  look.refresh();
  hidden.delete(pid);
  look.refresh();
  // Unless another test has set the numbers back just now, and all were looked at again.
  expect(seen.includes(pid) || all.length > 1).toBe(true);
});

it('looks once more for one that was not seen for so long that it must have ended', async () => {
  const hidden = new Set<number>();
  const { look, seen, all } = watched({ hidden });
  look.refresh();
  const { pid } = await started('sleep', ['100']);
  hidden.add(pid);
  look.refresh();
  hidden.delete(pid);
  const now = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 60_000);
  onTestFinished(() => {
    now.mockRestore();
  });
  look.refresh();
  expect(seen.includes(pid) || all.length === 2).toBe(true);
  const looks = seen.length;
  hidden.add(pid);
  look.refresh();
  expect(seen.slice(looks)).not.toContain(pid);
});

it('looks at all each time, and at what was forked meanwhile, where nobody says which is the newest', () => {
  const forked: ChildProcess[] = [];
  onTestFinished(() => {
    for (const child of forked) child.kill();
  });
  const { look, all, seen } = watched({
    newestPid: () => null,
    meanwhile: () => forked.push(spawn('sleep', ['100'])),
  });
  look.refresh();
  look.refresh();
  expect(all).toHaveLength(2);
  expect(forked).toHaveLength(2);
  for (const { pid } of forked) expect(seen).toContain(pid);
});

it('takes no thread for a process', async () => {
  const { look, seen, all } = watched();
  look.refresh();
  const { pid } = await started(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  const threads = await until('its threads', () => {
    const tids = readdirSync(`/proc/${String(pid)}/task`).map(Number);
    return tids.length > 1 ? tids.filter((tid) => tid !== pid) : null;
  });
  look.refresh();
  // Unless the numbers of processes were set back just now, and all were looked at again.
  expect(seen.includes(pid) || all.length > 1).toBe(true);
  expect(threads.filter((tid) => seen.includes(tid))).toEqual([]);
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

interface Watched {
  readonly look: KeptLook;
  /** One for each look at all. */
  readonly all: number[];
  readonly seen: number[];
  /** Those that were seen anew when they were young. */
  readonly again: number[];
}

function watched(
  told: {
    readonly limitMs?: number;
    /** How many looks at all fail, the first ones. */
    readonly fails?: number;
    readonly hidden?: ReadonlySet<number>;
    readonly newestPid?: () => number | null;
    /** What happens during each look at all. */
    readonly meanwhile?: () => void;
  } = {},
): Watched {
  const { limitMs = 600_000, fails = 0, hidden = new Set() } = told;
  const [all, seen, again]: [number[], number[], number[]] = [[], [], []];
  const look = new KeptLook({
    seeAll: () => {
      all.push(all.length);
      told.meanwhile?.();
      if (all.length <= fails) throw new Error('no more descriptors');
    },
    see: (pid) => {
      if (hidden.has(pid)) return false;
      seen.push(pid);
      return true;
    },
    seeAgain: (pid) => again.push(pid),
    limitMs,
    ...(told.newestPid === undefined ? {} : { newestPid: told.newestPid }),
  });
  return { look, all, seen, again };
}

async function started(
  command: string,
  args: readonly string[],
): Promise<ChildProcess & { readonly pid: number }> {
  const child = spawn(command, args);
  onTestFinished(() => {
    child.kill();
  });
  await new Promise((resolve) => child.once('spawn', resolve));
  return Object.assign(child, { pid: child.pid ?? 0 });
}
