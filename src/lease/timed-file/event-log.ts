// What was noted of a group: one file for each run, as two machines can't append to the same one.
import { appendFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseJson } from '../file/durable-file.ts';
import type { StoreEvent } from '../remote-store.ts';
import { readStoreEvent } from '../stored-records.ts';
import type { IsLate } from './file-link.ts';
import { contentOf, namesIn, removeAll, replace } from './shared-files.ts';

/** What is to be noted; its time is that of the note. */
export type Noted = Omit<StoreEvent, 'atMs'>;

/** Nobody is worse off without it. */
export async function note(path: string, { node, action, epoch }: Noted): Promise<void> {
  try {
    await appendFile(path, `${JSON.stringify({ node, action, epoch, at: Date.now() })}\n`, MODE);
    await shorten(path);
  } catch {
    // The disk may be full: what has been done is done.
  }
}

/**
 * The latest first, by the clocks of the machines that noted it.
 *
 * @param isLate whether nobody waits for it any more: it reads no further then
 */
export async function readEvents(
  directory: string,
  isLate: IsLate,
): Promise<readonly StoreEvent[]> {
  const events: StoreEvent[] = [];
  for (const name of (await namesIn(directory)).slice(0, FILES_READ)) {
    if (isLate()) break;
    const lines = ((await contentOf(join(directory, name))) ?? '').split('\n');
    events.push(...lines.flatMap((line) => readStoreEvent(parseJson(line)) ?? []).reverse());
  }
  // What is of the same instant stays as it was noted, the higher epoch first.
  return events.sort((a, b) => b.atMs - a.atMs || b.epoch - a.epoch);
}

/** The files of those that came last stay. */
export async function pruneEvents(directory: string): Promise<void> {
  const names = await namesIn(directory);
  if (names.length <= FILES_KEPT) return;
  const found = await Promise.all(
    names.map(async (name) => {
      const path = join(directory, name);
      return {
        path,
        changedAtMs: await stat(path).then(
          ({ mtimeMs }) => mtimeMs,
          () => 0,
        ),
      };
    }),
  );
  const oldest = found.sort((a, b) => b.changedAtMs - a.changedAtMs).slice(FILES_KEPT);
  await removeAll(oldest.map(({ path }) => path));
}

const MODE = { mode: 0o600 } as const;

const FILES_KEPT = 64;
const FILES_READ = 256;

/** Bytes; half of it stays when it is shortened. */
const LONGEST = 16 * 1024;

async function shorten(path: string): Promise<void> {
  const { size } = await stat(path);
  if (size <= LONGEST) return;
  const lines = ((await contentOf(path)) ?? '').split('\n');
  await replace(path, lines.slice(Math.floor(lines.length / 2)).join('\n'));
}
