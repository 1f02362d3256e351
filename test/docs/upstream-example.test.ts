// The example of the page on upstreams prints what stands below it.
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { makeExampleDirectory } from './support/example-directory.ts';
import { codeBlocks, readPage, runnablePart } from './support/pages.ts';

/** Far more than it takes, also on a busy machine, ms. */
const LIMIT_MS = 90_000;

it('is run as it stands', { timeout: 2 * LIMIT_MS }, () => {
  const blocks = codeBlocks(runnablePart(readPage('docs/upstreams.md')));
  expect(blocks.map(({ language }) => language)).toEqual(['ts', 'text']);
  const directory = makeExampleDirectory();
  onTestFinished(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  // It has no types in it: so every version of Node runs it.
  const program = join(directory, 'example.mjs');
  writeFileSync(program, blocks[0]?.code ?? '');
  const options = { encoding: 'utf8', timeout: LIMIT_MS } as const;
  const printed = execFileSync(process.execPath, [program], options);
  expect(printed).toBe(blocks[1]?.code);
});
