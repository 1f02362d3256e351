// Proves that the core can't reach a clock, I/O, randomness or another folder: each try is refused.
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ESLint, Linter } from 'eslint';
import tseslint from 'typescript-eslint';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const allowed =
  'export const longest = (texts: readonly string[]): number => Math.max(...texts.map((t) => t.length));\n';

/** What the compiler refuses: none of these names or modules exists for the core. */
const REFUSED_BY_COMPILER: Readonly<Record<string, string>> = {
  'file-system':
    "import { readFileSync } from 'node:fs';\nexport const x: unknown = readFileSync;\n",
  'bare-builtin': "import { hostname } from 'os';\nexport const x: unknown = hostname;\n",
  process: 'export const x: unknown = process.pid;\n',
  'set-timeout': 'setTimeout(() => {}, 1);\nexport {};\n',
  'set-immediate': 'setImmediate(() => {});\nexport {};\n',
  performance: 'export const x: number = performance.now();\n',
  crypto: 'export const x: string = crypto.randomUUID();\n',
  console: "console.log('x');\nexport {};\n",
  fetch: "export const x: unknown = fetch('http://localhost');\n",
  require: "export const x: unknown = require('fs');\n",
  'other-folder': "export { port } from '../runtime/ports.ts';\n",
};

/** What only the linter can refuse: it is part of the language, or resolves at run time. */
const REFUSED_BY_LINTER: Readonly<Record<string, string>> = {
  'date-now': 'export const x: number = Date.now();\n',
  'new-date': 'export const x: unknown = new Date();\n',
  'math-random': 'export const x: number = Math.random();\n',
  'math-random-taken-apart': 'const { random } = Math;\nexport const x: number = random();\n',
  'global-this': "export const x: unknown = Reflect.get(globalThis, 'Date');\n",
  'other-folder': "export { port } from '../runtime/ports.ts';\n",
  package: "import chalk from 'chalk';\nexport const x: unknown = chalk;\n",
  builtin: "import 'node:fs';\n",
  'type-of-builtin': "export type X = typeof import('node:fs');\n",
  'types-by-reference': '/// <reference types="node" />\nexport {};\n',
  'dynamic-import': "export const x: unknown = import('./state.ts');\n",
};

/** The rules that keep the core pure. */
const PURITY_RULE = /^no-restricted-|triple-slash-reference$/;

/** No such name, no such module, or outside the root: not any other mistake in a snippet. */
const PURITY_ERROR = 'TS(2304|2307|2584|2591|6059|6307)';

describe('the compiler', () => {
  let directory: string;
  let diagnostics: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'failover-purity-'));
    await mkdir(join(directory, 'core'));
    await mkdir(join(directory, 'runtime'));
    await writeFile(join(directory, 'package.json'), '{ "type": "module" }\n');
    // The packages of the project are within reach, so that only the settings keep them out.
    await symlink(join(root, 'node_modules'), join(directory, 'node_modules'));
    await writeFile(join(directory, 'runtime', 'ports.ts'), 'export const port = 1;\n');
    const snippets = { ...REFUSED_BY_COMPILER, allowed };
    for (const [name, text] of Object.entries(snippets)) {
      await writeFile(join(directory, 'core', `${name}.ts`), text);
    }
    const tsconfig = {
      extends: join(root, 'src', 'core', 'tsconfig.json'),
      compilerOptions: { rootDir: '.', outDir: 'out', tsBuildInfoFile: 'out/core.tsbuildinfo' },
      include: ['./**/*.ts'],
    };
    await writeFile(join(directory, 'core', 'tsconfig.json'), JSON.stringify(tsconfig));
    const require = createRequire(import.meta.url);
    const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');
    const compiled = spawnSync(process.execPath, [tsc, '-p', 'core', '--pretty', 'false'], {
      cwd: directory,
      encoding: 'utf8',
    });
    diagnostics = compiled.stdout;
  }, 60_000);

  afterAll(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  it.each(Object.keys(REFUSED_BY_COMPILER))('refuses %s', (name) => {
    expect(diagnostics).toMatch(
      new RegExp(`^core/${name}\\.ts\\(\\d+,\\d+\\): error ${PURITY_ERROR}:`, 'm'),
    );
  });

  it('takes code that only computes', () => {
    expect(diagnostics).not.toContain('core/allowed.ts');
  });
});

describe('the linter', () => {
  const linter = new Linter();
  let rules: Partial<Linter.RulesRecord>;

  beforeAll(async () => {
    const config = await effectiveConfig('src/core/transition.ts');
    rules = {};
    for (const [name, rule] of Object.entries(config.rules ?? {})) {
      if (PURITY_RULE.test(name) && rule !== undefined) rules[name] = rule;
    }
  });

  function faultsOf(text: string): readonly string[] {
    const config: Linter.Config = {
      files: ['**/*.ts'],
      languageOptions: { parser: tseslint.parser },
      plugins: { '@typescript-eslint': tseslint.plugin },
      rules,
    };
    return linter.verify(text, config, 'snippet.ts').map((fault) => fault.ruleId ?? fault.message);
  }

  it.each(Object.entries(REFUSED_BY_LINTER))('refuses %s', (_, text) => {
    expect(faultsOf(text)).toEqual([expect.stringMatching(PURITY_RULE)]);
  });

  it('takes code that only computes, and imports of its own folder', () => {
    expect(faultsOf(allowed)).toEqual([]);
    expect(faultsOf("export { x } from './state.ts';\n")).toEqual([]);
  });

  it('asks this of the core alone', async () => {
    const config = await effectiveConfig('src/runtime/clock.ts');
    expect(Object.keys(config.rules ?? {})).not.toContain('no-restricted-globals');
  });
});

/** The rules that count for one file of the project. */
async function effectiveConfig(path: string): Promise<Linter.Config> {
  const eslint = new ESLint({ cwd: root });
  // The result is typed `any`: it is the flat configuration, as computed for this file.
  const config: unknown = await eslint.calculateConfigForFile(path);
  return config as Linter.Config;
}
