// Lets a version of Node.js that knows no TypeScript run ours: `node --import ./test/support/typescript.js FILE.ts`.
import { readFile } from 'node:fs/promises';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import typescript from 'typescript';

if (isMainThread) register(import.meta.url);

/**
 * Strips the types, as the newer versions do: our sources have nothing else that needs compiling.
 * @type {import('node:module').LoadHook}
 */
export async function load(url, context, nextLoad) {
  if (!url.endsWith('.ts')) return nextLoad(url, context);
  const source = typescript.transpile(await readFile(fileURLToPath(url), 'utf8'), {
    module: typescript.ModuleKind.ESNext,
    target: typescript.ScriptTarget.ES2023,
    verbatimModuleSyntax: true,
  });
  return { format: 'module', source, shortCircuit: true };
}
