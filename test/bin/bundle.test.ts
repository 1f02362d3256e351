// What the build makes of src/: text that costs a process no more memory than it has to.
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const BUNDLE = join(ROOT, 'dist/bundle');

const texts = readdirSync(BUNDLE)
  .filter((name) => name.endsWith('.js'))
  .map((name) => readFileSync(join(BUNDLE, name), 'utf8'));

describe('the bundle', () => {
  it('is ASCII: one other character in a file doubles what its text takes in memory', () => {
    expect(texts.filter((text) => /[^\0-\x7f]/.test(text))).toEqual([]);
  });

  it('requires the dependencies that are CommonJS, whose names an import would have to read first', () => {
    const { dependencies } = manifestOf(ROOT);
    const commonJs = Object.keys(dependencies ?? {}).filter(
      (name) => manifestOf(join(ROOT, 'node_modules', name)).type !== 'module',
    );
    expect(commonJs).toContain('zeromq');
    const imported = commonJs.filter((name) =>
      texts.some((text) => text.includes(`from "${name}"`) || text.includes(`import("${name}")`)),
    );
    expect(imported).toEqual([]);
  });

  it('contains execa and hono, whose many files each start would read', () => {
    const loaded = /(?:from |import\(|require\()["'](?:execa|hono|@hono\/node-server)["'/]/;
    expect(texts.filter((text) => loaded.test(text))).toEqual([]);
  });

  it('has beside it which packages are in it, in which version, and their licences', () => {
    const licences = readFileSync(join(BUNDLE, 'LICENSES.txt'), 'utf8');
    const named = [...licences.matchAll(/^((?:@[\w.-]+\/)?[\w.-]+) (\d+\.\d+\.\d+\S*)$/gm)];
    const names = named.map(([, name = '']) => name);
    expect(names).toEqual(expect.arrayContaining(['cross-spawn', 'human-signals', 'signal-exit']));
    // None got in by an import of what an installation does not have.
    const direct = Object.keys(manifestOf(ROOT).devDependencies ?? {});
    const chosen = named.filter(([, name = '']) => direct.includes(name)).map(([line]) => line);
    const expected = ['@hono/node-server', 'execa', 'hono'];
    expect(chosen).toEqual(expected.map((name) => `${name} ${versionOf(name)}`));
    expect(licences).toContain('Permission is hereby granted');
  });

  it('is installed with no second copy of them', () => {
    const installed = Object.keys(manifestOf(ROOT).dependencies ?? {});
    expect(installed).not.toContain('execa');
    expect(installed).not.toContain('hono');
  });
});

describe('the published declarations', () => {
  it('lead to each other and to what an installation has', () => {
    const types = join(ROOT, 'dist/types');
    const names = readdirSync(types, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.d.ts'),
    );
    const { dependencies } = manifestOf(ROOT);
    const lost = names.flatMap((name) => {
      const text = readFileSync(join(types, name), 'utf8');
      const imported = [...text.matchAll(/\b(?:from|import\()\s*["']([^"']+)["']/g)];
      return imported.flatMap(([, target = '']) => {
        const isThere = target.startsWith('.')
          ? names.includes(join(dirname(name), target.replace(/\.ts$/, '.d.ts')))
          : target.startsWith('node:') || dependencies?.[target] !== undefined;
        return isThere ? [] : [`${name}: ${target}`];
      });
    });
    expect(names).toContain('index.d.ts');
    expect(lost).toEqual([]);
  });
});

it.each(['run', 'up', 'status'])(
  '`failover %s` reads nothing of what only a proxy needs',
  (command) => {
    const read = [...readBy(new RegExp(`^${command}-.{8}[.]js$`))].sort();
    expect(read.length).toBeGreaterThan(5);
    expect(read.filter((name) => textOf(name).includes('undici'))).toEqual([]);
  },
);

/** What importing the file of such a name reads at once. */
function readBy(name: RegExp): ReadonlySet<string> {
  const read = new Set(readdirSync(BUNDLE).filter((each) => name.test(each)));
  for (const each of read) {
    for (const [, imported = ''] of textOf(each).matchAll(/^import .*"\.\/([^"]+)";$/gm))
      read.add(imported);
  }
  return read;
}

function textOf(name: string): string {
  return readFileSync(join(BUNDLE, name), 'utf8');
}

interface Manifest {
  readonly type?: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

function versionOf(name: string): string {
  return manifestOf(join(ROOT, 'node_modules', name)).version;
}

function manifestOf(directory: string): Manifest {
  // The form of every package.json.
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Manifest;
}
