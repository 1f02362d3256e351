// Which journals stay: those of nodes that are registered, and the newest of those that have ended.
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** How many runs that have ended keep their journals in a group. */
const ENDED_RUNS_LIMIT = 16;

/** How many files there are at most in a group, whoever lives. */
const FILES_LIMIT = 512;

/** Removes what is too much. Never fails: what can't be removed is left to the next. */
export async function pruneJournals(directory: string, nodesDirectory: string): Promise<void> {
  const registered = new Set((await list(nodesDirectory)).map(runOf));
  const files = await Promise.all((await list(directory)).filter(isJournal).map(aged(directory)));
  files.sort((a, b) => b.changedAtMs - a.changedAtMs);
  const ended = [...new Set(files.map(({ run }) => run).filter((run) => !registered.has(run)))];
  const surplus = new Set(ended.slice(ENDED_RUNS_LIMIT));
  const removed = files.filter(({ run }, place) => surplus.has(run) || place >= FILES_LIMIT);
  for (const { path } of removed) await rm(path, { force: true }).catch(() => undefined);
}

/** Whether a name can be that of a journal. */
export function isJournal(name: string): boolean {
  return /^[A-Za-z0-9_-]{1,64}(?:\.1)?\.jsonl$/.test(name);
}

/** The run that a file is of. */
export function runOf(name: string): string {
  return name.slice(0, name.indexOf('.'));
}

interface AgedFile {
  readonly path: string;
  readonly run: string;
  readonly changedAtMs: number;
}

function aged(directory: string): (name: string) => Promise<AgedFile> {
  return async (name) => {
    const path = join(directory, name);
    const stats = await stat(path).catch(() => null);
    return { path, run: runOf(name), changedAtMs: stats?.mtimeMs ?? 0 };
  };
}

async function list(directory: string): Promise<readonly string[]> {
  return readdir(directory).catch(() => []);
}
