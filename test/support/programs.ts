// Programs of others that tests use, where they are installed.
import { spawnSync } from 'node:child_process';
import { lackOf } from './lack.ts';

/** Null: it is there. @throws where it is required: what has to be tried is not skipped */
export function lackOfProgram(name: string, versionFlag = '--version'): string | null {
  const isThere = spawnSync(name, [versionFlag]).status === 0;
  return lackOf(name, isThere, `${name} is not installed`);
}
