// Takes back what the launcher has told the engine for supervisors, which are small and seldom busy.
import { setFlagsFromString } from 'node:v8';

/** For a command in which millions of objects come and go, and the same code runs for minutes. */
export function useAllCompilers(): void {
  setFlagsFromString('--semi-space-growth-factor=2');
  setFlagsFromString('--turbofan');
}

/** For a process that is busy all the time with little that it keeps: many groups, whose memory counts. */
export function useOptimizer(): void {
  setFlagsFromString('--turbofan');
}
