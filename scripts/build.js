// Builds src/ into dist/: an incremental compile, then the removal of what has no source any more.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');

removeStale(join(root, 'dist'), join(root, 'src'));
const compiled = spawnSync(process.execPath, [tsc, '-b', 'src'], { cwd: root, stdio: 'inherit' });
mkdirSync(join(root, 'dist'), { recursive: true });
// Its time is when dist was last brought up to date: what the tests' set-up compares src with.
writeFileSync(join(root, 'dist', '.built'), '');
process.exitCode = compiled.status ?? 1;

/**
 * Removes each output in dist whose source has gone, so that no test passes on a file of yesterday.
 * @param {string} dist
 * @param {string} src
 */
function removeStale(dist, src) {
  if (!existsSync(dist)) return;
  for (const output of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    const stem = /^(.*?)(?:\.d\.ts|\.js)(?:\.map)?$/.exec(output)?.[1];
    if (stem === undefined || existsSync(join(src, `${stem}.ts`))) continue;
    rmSync(join(dist, output), { force: true });
  }
}
