// The witness: a workload with a lock of its own, and what it wrote down about who was active when.
import { join } from 'node:path';
import { compiled } from './compiled.ts';
import { textOf } from './text-of.ts';

/** One line of the witness, in the order in which the kernel took them. */
export interface WitnessLine {
  readonly what: 'start' | 'overlap' | 'end' | 'ignored' | 'standby';
  /** Monotonic, ns. */
  readonly at: bigint;
  readonly epoch: number;
  readonly pid: number;
}

/**
 * The path of the witness: compiled once per version of its source, a script of perl where no compiler is.
 * Neither uses anything of ours: what it sees does not depend on what it watches.
 */
export function witnessProgram(): string {
  const compiled = process.env['WITNESS'] === 'script' ? null : compiledWitness();
  return compiled ?? SCRIPTED_WITNESS;
}

export const SCRIPTED_WITNESS: string = join(import.meta.dirname, 'process-witness.pl');

/** Null where no compiler is. */
export function compiledWitness(): string | null {
  return compiled('process-witness.c');
}

export function readWitness(directory: string): WitnessLine[] {
  const text = textOf(join(directory, 'witness.log'));
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [what = '', at = '', epoch = '', pid = ''] = line.split(' ');
      // Only the witness writes here.
      const known = what as WitnessLine['what'];
      return { what: known, at: BigInt(at), epoch: Number(epoch), pid: Number(pid) };
    });
}

/** What is wrong with a witness's lines: two at once, or an epoch that did not rise. */
export function faultsOf(lines: readonly WitnessLine[]): string[] {
  const faults: string[] = [];
  let highest = 0;
  for (const { what, epoch, pid } of lines) {
    if (what !== 'start' && what !== 'overlap') continue;
    if (what === 'overlap') faults.push(`pid ${pid} began epoch ${epoch} while another was active`);
    if (epoch <= highest) faults.push(`pid ${pid} began epoch ${epoch} after epoch ${highest}`);
    highest = Math.max(highest, epoch);
  }
  return faults;
}
