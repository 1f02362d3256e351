// What the tests have in C: compiled once per version of its source.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { basename, join } from 'node:path';

/** The path of what became of a source, named from this directory on; null where no compiler is. */
export function compiled(source: string, ...flags: readonly string[]): string | null {
  const path = join(import.meta.dirname, source);
  const version = createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 12);
  const cache = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'witness');
  const name = basename(source, '.c').replace(/^process-/, '');
  const program = join(cache, `${name}-${version}`);
  if (existsSync(program)) return program;
  const unfinished = `${program}.${String(process.pid)}`;
  try {
    mkdirSync(cache, { recursive: true });
    execFileSync('cc', ['-O1', ...flags, '-o', unfinished, path], { stdio: 'pipe' });
    renameSync(unfinished, program);
    return program;
  } catch {
    return null;
  }
}
