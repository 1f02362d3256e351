// Where examples of the manual are compiled and run: they find the library there, and what else they name.
import { mkdirSync, mkdtempSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ROOT } from './pages.ts';

/** What examples use beside the library. */
const PACKAGES = ['@types', '@fastify/middie', '@hono/node-server', 'express', 'fastify', 'hono'];

/** A new one, to be removed by who has asked for it. */
export function makeExampleDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'fo-example-'));
  const modules = join(directory, 'node_modules');
  mkdirSync(modules);
  symlinkSync(ROOT, join(modules, 'failover-cli'));
  for (const name of PACKAGES) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }
  return directory;
}
