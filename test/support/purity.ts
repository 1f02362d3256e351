// Tries snippets of code in a folder of src: what its compiler settings and its lint rules refuse.
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ESLint, Linter } from 'eslint';
import tseslint from 'typescript-eslint';

const root = join(import.meta.dirname, '..', '..');

export type Snippets = Readonly<Record<string, string>>;

/** Code that only computes. */
export const PURE =
  'export const longest = (texts: readonly string[]): number => Math.max(...texts.map((t) => t.length));\n';

/** What the compiler refuses: none of these names or modules exists there. */
export const REFUSED_BY_COMPILER: Snippets = {
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
export const REFUSED_BY_LINTER: Snippets = {
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

/** The rules that keep a folder pure. */
export const PURITY_RULE = /^no-restricted-|triple-slash-reference$/;

/** No such name, no such module, or outside the root: not any other mistake in a snippet. */
const PURITY_ERROR = 'TS(2304|2307|2584|2591|6059|6307)';

/** The refusal of one snippet, among what `compile` says. */
export function refusalOf(folder: string, name: string): RegExp {
  return new RegExp(`^${folder}/${name}\\.ts\\(\\d+,\\d+\\): error ${PURITY_ERROR}:`, 'm');
}

/**
 * Compiles snippets as if they were in a folder of src, beside a module of another one.
 *
 * @param rootDir as that folder's own settings have it
 * @returns what the compiler says
 */
export async function compile(
  folder: string,
  snippets: Snippets,
  rootDir: '.' | '..',
): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'failover-purity-'));
  try {
    await mkdir(join(directory, folder));
    await mkdir(join(directory, 'runtime'));
    await writeFile(join(directory, 'package.json'), '{ "type": "module" }\n');
    // The packages of the project are within reach, so that only the settings keep them out.
    await symlink(join(root, 'node_modules'), join(directory, 'node_modules'));
    await writeFile(join(directory, 'runtime', 'ports.ts'), 'export const port = 1;\n');
    for (const [name, text] of Object.entries(snippets)) {
      await writeFile(join(directory, folder, `${name}.ts`), text);
    }
    const tsconfig = {
      extends: join(root, 'src', folder, 'tsconfig.json'),
      compilerOptions: { rootDir, outDir: 'out', tsBuildInfoFile: 'out/snippets.tsbuildinfo' },
      include: ['./**/*.ts'],
    };
    await writeFile(join(directory, folder, 'tsconfig.json'), JSON.stringify(tsconfig));
    const require = createRequire(import.meta.url);
    const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');
    const compiled = spawnSync(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], {
      cwd: directory,
      encoding: 'utf8',
    });
    return compiled.stdout;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** What the purity rules that count for one file of the project find in a text. */
export async function purityLinter(path: string): Promise<(text: string) => readonly string[]> {
  const linter = new Linter();
  const effective = await effectiveConfig(path);
  const rules: Partial<Linter.RulesRecord> = {};
  for (const [name, rule] of Object.entries(effective.rules ?? {})) {
    if (PURITY_RULE.test(name) && rule !== undefined) rules[name] = rule;
  }
  const config: Linter.Config = {
    files: ['**/*.ts'],
    languageOptions: { parser: tseslint.parser },
    plugins: { '@typescript-eslint': tseslint.plugin },
    rules,
  };
  return (text) =>
    linter.verify(text, config, 'snippet.ts').map((fault) => fault.ruleId ?? fault.message);
}

/** The rules that count for one file of the project. */
export async function effectiveConfig(path: string): Promise<Linter.Config> {
  const eslint = new ESLint({ cwd: root });
  // The result is typed `any`: it is the flat configuration, as computed for this file.
  const config: unknown = await eslint.calculateConfigForFile(path);
  return config as Linter.Config;
}
