// Builds dist/ once before the tests when a source is newer: process tests run the built launcher.
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

export default function setup(): void {
  if (!isStale()) return;
  const built = spawnSync(process.execPath, [join(root, 'scripts', 'build.js')], {
    cwd: root,
    encoding: 'utf8',
  });
  // A type error leaves the rest of dist usable, and the unit tests don't need it: say it and go on.
  // `npm test` builds first and stops there.
  if (built.status !== 0) process.stderr.write(`${built.stdout}${built.stderr}`);
}

/** Whether a file of src changed after the last build. */
function isStale(): boolean {
  const builtAt = statSync(join(root, 'dist', '.built'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true }).some((entry) => {
    const changed = statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false });
    return changed !== undefined && changed.mtimeMs > builtAt;
  });
}
