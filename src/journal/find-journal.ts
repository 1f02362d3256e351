// The journals of a group as a client finds them: those of one node, the latest of its runs.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readBounded } from '../lease/file/durable-file.ts';
import { FILE_LIMIT_BYTES, journalPaths } from './journal-file.ts';
import { isJournal, runOf } from './prune.ts';
import { JournalError, readJournal } from './read-journal.ts';
import type { Journal } from './read-journal.ts';

export interface FoundJournal {
  readonly path: string;
  readonly journal: Journal;
}

/** What one run wrote, both files of it as one; null: nothing that can be read. */
export function journalOfRun(directory: string, run: string): FoundJournal | null {
  const { current, former } = journalPaths(directory, run);
  try {
    return { path: current, journal: readJournal(textOf(former) + textOf(current)) };
  } catch (error) {
    if (error instanceof JournalError) return null;
    throw error;
  }
}

/** What the latest run of a node wrote; null: nothing that can be read. */
export function journalOfNode(directory: string, node: string): FoundJournal | null {
  for (const run of journalRuns(directory)) {
    const found = journalOfRun(directory, run);
    if (found?.journal.run.node === node) return found;
  }
  return null;
}

/** The runs that have left one, the youngest first. */
export function journalRuns(directory: string): readonly string[] {
  const ages = namesIn(directory).map((name) => ({
    run: runOf(name),
    changedAtMs:
      statSync(join(directory, name), { throwIfNoEntry: false })?.mtimeMs ?? Number.MIN_VALUE,
  }));
  ages.sort((a, b) => b.changedAtMs - a.changedAtMs);
  return [...new Set(ages.map(({ run }) => run))];
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory).filter(isJournal);
  } catch {
    return [];
  }
}

/** '' where there is none, it is no file, or it is not for us to read. */
function textOf(path: string): string {
  return readBounded(path, 2 * FILE_LIMIT_BYTES) ?? '';
}
