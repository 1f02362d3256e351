// What the machine runs out of, and what is done to its clock: room, names, processor time, descriptors.
import { spawn, spawnSync } from 'node:child_process';
import type { SpawnSyncReturns } from 'node:child_process';
import { rmSync } from 'node:fs';
import { CLOCK_NEEDS, setClock } from '../../support/process-clock.ts';
import { MARK, openFilesOf, signal } from '../../support/process-list.ts';
import { fillBlocks, fillNames } from '../../support/small-disk.ts';
import type { Arena } from '../arena.ts';
import { chosen } from './fault.ts';
import type { Perform } from './fault.ts';

export const fillDisk: Perform = async (arena, { forMs, choice }) => {
  if (!arena.plan.smallDisk || !arena.hasSmallDisk) return 'skipped: only root can mount';
  const { stateDir } = arena.group;
  const [what, fill] = choice % 2 === 0 ? ['blocks', fillBlocks] : ['names', fillNames];
  let filling: string;
  try {
    filling = fill(stateDir);
  } catch (error) {
    return `skipped: ${error instanceof Error ? error.message : String(error)}`;
  }
  const free = arena.undoLater(() => {
    rmSync(filling, { recursive: true, force: true });
  });
  await arena.pause(forMs);
  await free();
  return `no ${what} left for ${forMs} ms`;
};

const MOST_LOOPS = 16;

export const starve: Perform = async (arena, { forMs, choice }) => {
  const loops = 4 + (choice % (MOST_LOOPS - 3));
  const end = startLoops(arena, { loops, forMs });
  await arena.pause(forMs);
  await end();
  return `${loops} busy loops for ${forMs} ms`;
};

/** Each loop also has an end of its own, should nobody be left to end it. @returns the end of all */
export function startLoops(
  arena: Arena,
  { loops, forMs }: { readonly loops: number; readonly forMs: number },
): () => Promise<void> {
  const limit = String(Math.ceil(forMs / 1000) + 10);
  const children = Array.from({ length: loops }, () =>
    spawn('timeout', ['-s', 'KILL', limit, 'sh', '-c', 'while :; do :; done'], {
      stdio: 'ignore',
      detached: true,
      env: { PATH: process.env['PATH'], [MARK]: arena.group.mark },
    }),
  );
  return arena.undoLater(() => {
    // The whole process group: the loop is a child of `timeout`.
    for (const { pid } of children) if (pid !== undefined) signal(-pid, 'SIGKILL');
  });
}

/** For good in half of the cases, as a person does it; else for a time, as a machine that is put right. */
export const setClockOfNodes: Perform = async (arena, fault) => {
  const { clock } = arena;
  if (clock === null) return `skipped: it needs ${CLOCK_NEEDS}`;
  const seconds = chosen(CLOCK_STEPS, fault) ?? 0;
  setClock(clock, seconds);
  await arena.pause(fault.forMs);
  const isForGood = fault.choice % 2 === 0;
  if (!isForGood) setClock(clock, 0);
  return `the clock set by ${seconds} s, ${isForGood ? 'for good' : `for ${fault.forMs} ms`}`;
};

/** What is less than, about as long as, and far above all that anybody waits for. */
const CLOCK_STEPS = [-1, 2, -30, 61, 3600, -7200, -86_400, 400 * 86_400, -20 * 365 * 86_400];

/** A node of its own that may open only few files: it may fail to start, or to lead; the others go on. */
export const fewDescriptors: Perform = async (arena, { forMs, choice }) => {
  // Under most of them it is refused: who connected to it would end it.
  const limit = 22 + (choice % 120);
  const node = arena.launch(arena.freshId(), [
    ...['sh', '-c', `ulimit -n ${limit}; exec "$@"`, 'sh'],
  ]);
  arena.told.add(node);
  // Node.js itself prints one where it can't load a module.
  arena.judge.excuseTraces(node);
  const end = arena.undoLater(async () => {
    node.kill('SIGTERM');
    // It promises nothing of how it ends.
    if (!(await arena.until(3000, () => node.end !== null))) node.kill('SIGKILL');
    await arena.until(3000, () => node.end !== null);
  });
  await arena.until(forMs + START_MS, () => node.end !== null || node.phase === 'watching');
  // It can become primary only when there is none.
  const { primary } = arena;
  if (node.end === null && primary !== null && choice % 3 === 0) {
    arena.told.add(primary);
    primary.kill('SIGTERM');
  }
  await arena.pause(forMs);
  const last = node.phase;
  await end();
  return `a node with ${limit} descriptors, ${last}, ended with ${String(node.end)}`;
};

const START_MS = 1500;

/** A node that runs may open next to nothing more, for a time: the limit is set to what it has open. */
export const noDescriptors: Perform = async (arena, fault) => {
  const node = fault.choice % 2 === 0 ? arena.primary : chosen(arena.standbys, fault);
  if (node === null || node === undefined) return 'skipped: no node';
  const most = limitOf(arena, node.pid);
  if (most === null) return 'skipped: no prlimit';
  const limit = openFilesOf(node.pid).length + (fault.choice % 4);
  const raise = arena.undoLater(() => {
    setLimit(arena, node.pid, most);
  });
  arena.judge.excuseAborts(node);
  setLimit(arena, node.pid, String(limit));
  await arena.pause(fault.forMs);
  await raise();
  return `${node.id} (${node.phase}) with at most ${limit} descriptors for ${fault.forMs} ms`;
};

/** How far it may be raised again: the present one may be the doing of another fault. Null: it can't be told. */
function limitOf(arena: Arena, pid: number): string | null {
  const { status, stdout } = prlimit(arena, pid, [
    ...['--nofile', '--output', 'HARD', '--noheadings', '--raw'],
  ]);
  return status === 0 ? stdout.toString().trim() : null;
}

function setLimit(arena: Arena, pid: number, soft: string): void {
  prlimit(arena, pid, [`--nofile=${soft}:`]);
}

/** As the user of the node: it may, and root may not everywhere. */
function prlimit({ uid }: Arena, pid: number, args: readonly string[]): SpawnSyncReturns<Buffer> {
  const owner = uid === null ? {} : { uid, gid: uid };
  return spawnSync('prlimit', ['--pid', String(pid), ...args], owner);
}
