// The first example of the page on health checks does what the page says: it is run as it stands.
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, it, onTestFinished } from 'vitest';
import { makeExampleDirectory } from './support/example-directory.ts';
import { codeBlocks, readPage, runnablePart } from './support/pages.ts';

it('tells of a server that is out of order for a while', { timeout: 60_000 }, () => {
  const directory = makeExampleDirectory();
  onTestFinished(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  const [example] = codeBlocks(runnablePart(readPage('docs/health-library.md')));
  const { outputText } = ts.transpileModule(example?.code ?? '', {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 },
  });
  writeFileSync(join(directory, 'example.mjs'), outputText);
  const { stdout, stderr, status } = spawnSync(process.execPath, ['example.mjs'], {
    ...{ cwd: directory, encoding: 'utf8', timeout: 50_000 },
  });
  expect(stderr).toBe('');
  expect(stdout).toBe('a is healthy\n0 of 1 healthy\n1 of 1 healthy\n');
  expect(status).toBe(0);
});
