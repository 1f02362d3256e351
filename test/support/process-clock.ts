// A wall clock that can be set for some processes alone, by a library that is preloaded into them.
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { compiled } from './compiled.ts';

/** What it needs. */
export const CLOCK_NEEDS = 'a C compiler, `cc`, on Linux';

/** The library; null where it can't be had. */
export function clockLibrary(): string | null {
  if (process.platform !== 'linux') return null;
  return compiled('process-clock.c', '-shared', '-fPIC');
}

/** The environment of a process whose wall clock is the machine's and what `setClock` wrote into the file. */
export function withClock(library: string, path: string): NodeJS.ProcessEnv {
  return { LD_PRELOAD: library, TEST_CLOCK: path };
}

/** Sets the clock of all that have this file, at once; 0: to the machine's. */
export function setClock(path: string, offsetSeconds: number): void {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(offsetSeconds));
  // In place: they have it mapped.
  const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT, 0o644);
  writeSync(fd, bytes, 0, bytes.length, 0);
  closeSync(fd);
}
