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

  it('contains execa, whose hundred files each start would read, and the licences of its packages', () => {
    expect(texts.filter((text) => /(?:from |import\(|require\()["']execa["']/.test(text))).toEqual(
      [],
    );
    const licences = readFileSync(join(BUNDLE, 'LICENSES.txt'), 'utf8');
    const { dependencies: parts } = manifestOf(join(ROOT, 'node_modules/execa'));
    for (const name of ['execa', 'cross-spawn', 'human-signals', 'signal-exit']) {
      expect(['execa', ...Object.keys(parts ?? {})]).toContain(name);
      expect(licences).toContain(`${name}\n\n`);
    }
    expect(licences).toContain('Permission is hereby granted');
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
  readonly dependencies?: Readonly<Record<string, string>>;
}

function manifestOf(directory: string): Manifest {
  // The form of every package.json.
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Manifest;
}
