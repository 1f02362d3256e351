// Builds src/ into dist/: an incremental compile, the removal of what has no source any more, then the bundle
// that runs: a start reads a few files instead of 150, and a supervisor is about 8 MB smaller.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
/**
 * Dependencies that are CommonJS: `require` gets them at once, where `import` reads their text for the names they
 * export first, with a lexer that costs a start more than they do.
 */
const COMMON_JS = [
  ...['commander', 'fs-native-extensions', 'node-unix-socket', 'prom-client', 'proper-lockfile'],
  ...['undici', 'yaml', 'zeromq'],
];

/**
 * Dependencies that become part of the bundle: with its own, execa has more than a hundred files, which each start
 * would read, and hono has more than is used. They stay dependencies, so that whoever audits an installation sees them.
 */
const BUNDLED = ['@hono/node-server', 'execa', 'hono'];

/** What stands for one of them in the bundle; the same name without it is the package itself. */
const REQUIRED = '\0required:';

const require = createRequire(import.meta.url);
const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');

removeStale(join(root, 'src'));
const compiled = spawnSync(process.execPath, [tsc, '-b', 'src'], { cwd: root, stdio: 'inherit' });
mkdirSync(dist, { recursive: true });
await bundle();
await bundleDashboard();
await writeManPage();
if (compiled.status === 0) await writeSchema();
if (compiled.status === 0) copyTypes();
// Its time is when dist was last brought up to date: what the tests' set-up compares src with.
writeFileSync(join(dist, '.built'), '');
process.exitCode = compiled.status ?? 1;

/** Removes each output in dist whose source has gone, so that no test passes on a file of yesterday. @param {string} src */
function removeStale(src) {
  if (!existsSync(dist)) return;
  for (const output of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    const stem = /^(?!bundle\/|types\/)(.*?)(?:\.d\.ts|\.js)(?:\.map)?$/.exec(output)?.[1];
    if (stem === undefined || existsSync(join(src, `${stem}.ts`))) continue;
    rmSync(join(dist, output), { force: true });
  }
}

/** The page is made of what was compiled: where that failed there may be nothing to make it of. */
async function writeManPage() {
  if (compiled.status !== 0) return;
  const { manPage } = await import('./man-page.js');
  mkdirSync(join(dist, 'man'), { recursive: true });
  writeFileSync(join(dist, 'man', 'failover.1'), manPage());
}

/** The declarations that index.d.ts leads to, in dist/types: those of all other modules are nobody's outside. */
function copyTypes() {
  const folder = join(dist, 'types');
  rmSync(folder, { recursive: true, force: true });
  const names = new Set(['index.d.ts']);
  for (const name of names) {
    const text = readFileSync(join(dist, name), 'utf8');
    for (const [, imported = ''] of text.matchAll(/\b(?:from|import\() ?'(\.[^']+)\.ts'/g)) {
      names.add(`${join(dirname(name), imported)}.d.ts`);
    }
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    copyFileSync(join(dist, name), join(folder, name));
  }
}

/** Our own modules, and `BUNDLED`: other dependencies are loaded from where they are installed, in the version there. */
async function bundle() {
  /** @type {unknown} */
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const { dependencies, peerDependencies } =
    /** @type {Record<'dependencies' | 'peerDependencies', Record<string, string>>} */ (manifest);
  const names = Object.keys({ ...dependencies, ...peerDependencies });
  const installed = names.filter((name) => !BUNDLED.includes(name));
  const build = await rolldown({
    input: {
      main: join(dist, 'cli', 'main.js'),
      index: join(dist, 'index.js'),
      guard: join(dist, 'guard', 'main.js'),
      starter: join(dist, 'starter', 'main.js'),
    },
    external: (id, importer) =>
      installed.includes(id) &&
      !(COMMON_JS.includes(id) && importer?.startsWith(REQUIRED) !== true),
    platform: 'node',
    plugins: [requireCommonJs(), writeLicences(), writeAscii()],
  });
  const folder = join(dist, 'bundle');
  rmSync(folder, { recursive: true, force: true });
  // A process keeps the text that it runs for as long as it lives: comments are for those who read src/.
  const text = /** @type {const} */ ({ format: 'esm', comments: false });
  await build.write({ ...text, dir: folder, chunkFileNames: '[name]-[hash].js' });
  await build.close();
}

/** What a browser gets: one script, and the files beside it as they are. */
async function bundleDashboard() {
  const [from, folder] = [join(root, 'src', 'dashboard'), join(dist, 'bundle', 'dashboard')];
  const build = await rolldown({
    input: { dashboard: join(dist, 'dashboard', 'main.js') },
    platform: 'browser',
  });
  await build.write({ dir: folder, format: 'esm', minify: true, entryFileNames: '[name].js' });
  await build.close();
  for (const name of ['index.html', 'dashboard.css', 'icon.svg']) {
    copyFileSync(join(from, name), join(folder, name));
  }
}

/** What editors know of a file of groups, made of the table of options. */
async function writeSchema() {
  const { groupFileSchema } = await import('../dist/config/group-file/schema.js');
  const text = `${JSON.stringify(groupFileSchema(), null, 2)}\n`;
  writeFileSync(join(dist, 'bundle', 'failover.schema.json'), text);
}

/** A module of the bundle for each package that is required. @returns {import('rolldown').Plugin} */
function requireCommonJs() {
  return {
    name: 'require-common-js',
    resolveId: (id) => (COMMON_JS.includes(id) ? REQUIRED + id : null),
    load: (id) => {
      if (!id.startsWith(REQUIRED)) return null;
      return `module.exports = require(${JSON.stringify(id.slice(REQUIRED.length))});`;
    },
  };
}

/**
 * A single `…` doubles what a file takes in memory: its text is kept in two bytes a character then.
 * @returns {import('rolldown').Plugin}
 */
function writeAscii() {
  /** @param {string} unit */
  const escaped = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return {
    name: 'write-ascii',
    // Once all is written out: what comes before that prints characters as they are.
    generateBundle: (_, files) => {
      for (const file of Object.values(files)) {
        if (file.type === 'chunk') file.code = file.code.replace(/[^\0-\x7f]/g, escaped);
      }
    },
  };
}

/** Writes the licences of the packages that became part of the bundle beside it. @returns {import('rolldown').Plugin} */
function writeLicences() {
  return {
    name: 'write-licences',
    generateBundle(_, files) {
      const modules = Object.values(files).flatMap((file) =>
        file.type === 'chunk' ? file.moduleIds : [],
      );
      const folders = modules.flatMap(
        (id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id) ?? [],
      );
      const source = [...new Set(folders)].sort().map(licenceOf).join('\n');
      this.emitFile({ type: 'asset', fileName: 'LICENSES.txt', source });
    },
  };
}

/** @param {string} folder */
function licenceOf(folder) {
  const name = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (name === undefined) throw new Error(`Cannot bundle ${folder}: it has no licence`);
  const [title = folder] = folder.split('/node_modules/').slice(-1);
  return `${title}\n\n${readFileSync(join(folder, name), 'utf8').trim()}\n`;
}
