// Every TypeScript example of the manual compiles, strictly, against the declarations that are published.
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeExampleDirectory } from './support/example-directory.ts';
import { codeBlocks, readPages } from './support/pages.ts';

const examples = readPages().flatMap(({ path, text }) =>
  codeBlocks(text)
    .filter(({ language }) => language === 'ts')
    .map(({ code }, index) => ({ name: `${path.replaceAll(/\W/g, '-')}-${String(index)}`, code })),
);

let directory = '';

beforeAll(() => {
  directory = makeExampleDirectory();
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
  const compilerOptions = {
    target: 'ES2023',
    lib: ['ES2023', 'ESNext.Disposable'],
    module: 'nodenext',
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
    skipLibCheck: true,
  };
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  for (const { name, code } of examples) writeFileSync(join(directory, `${name}.ts`), code);
});

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

it('compiles the examples', { timeout: 60_000 }, () => {
  expect(examples.length).toBeGreaterThanOrEqual(3);
  const typescript = createRequire(import.meta.url).resolve('typescript/package.json');
  const tsc = join(dirname(typescript), 'bin', 'tsc');
  const compiled = spawnSync(process.execPath, [tsc, '-p', directory], { encoding: 'utf8' });
  expect(compiled.stdout).toBe('');
  expect(compiled.status).toBe(0);
});
