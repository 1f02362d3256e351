// The workload of the nodes on several hosts: one that writes all the time.
import { compiled } from '../../support/compiled.ts';

const SOURCE = '../hosts/support/writer.c';

/** Why there is none; null: there is. */
export function lackOfWriter(): string | null {
  return compiled(SOURCE) === null ? 'skipped: there is no C compiler, `cc`, here' : null;
}

/** The path of the program. */
export function writerProgram(): string {
  const program = compiled(SOURCE);
  if (program === null) throw new Error('there is no C compiler');
  return program;
}
