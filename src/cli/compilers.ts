// Takes back what the launcher has told the engine for supervisors, which are small and seldom busy.
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** For a command in which millions of objects come and go, and the same code runs for minutes. */
export function useAllCompilers(): void {
  setFlagsFromString('--semi-space-growth-factor=2');
  setFlagsFromString('--turbofan');
}

/**
 * For a process that is busy all the time with little that it keeps: many groups, whose memory counts. Young objects get
 * some room, as a collection of them costs the same however little it finds; old ones get little more than they need.
 */
export function useOptimizer(): void {
  growYoungSpace();
  setFlagsFromString('--heap-growing-percent=20');
  optimizeCode(true);
}

/**
 * Not while many groups take over: none of that code runs for long, and the time that optimizing it takes would be
 * missed. The engine asks whenever it is about to.
 */
export function optimizeCode(mayOptimize: boolean): void {
  setFlagsFromString(mayOptimize ? '--turbofan' : '--no-turbofan');
}

/** Once, to 4 MB; how far it would grow can't be limited in a process that runs. */
function growYoungSpace(): void {
  setFlagsFromString('--semi-space-growth-factor=4');
  // It grows when enough has outlived a collection.
  const kept: object[] = [];
  for (let round = 0; round < GROWTH_ROUNDS && youngBytes() < YOUNG_BYTES; round += 1) {
    for (let count = 0; count < OBJECTS_A_ROUND; count += 1) kept.push({ round, count: [count] });
  }
  setFlagsFromString('--semi-space-growth-factor=1');
}

function youngBytes(): number {
  const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
  return young?.space_size ?? Infinity;
}

/** Both halves. */
const YOUNG_BYTES = 8 * 1024 * 1024;
const GROWTH_ROUNDS = 50;
const OBJECTS_A_ROUND = 2_000;
