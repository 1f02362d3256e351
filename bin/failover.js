#!/usr/bin/env node
// The launcher: compiled code is cached where Node can, then the command line takes over.
import { existsSync } from 'node:fs';
import module from 'node:module';
import { setFlagsFromString } from 'node:v8';

// A supervisor allocates little and lives for months: young objects need no room to grow into. That is 5 MB
// less for each standby, and a smaller process is gone sooner when it is killed.
setFlagsFromString('--semi-space-growth-factor=1');
// Code that has not run for some collections would be forgotten: a takeover's is what a standby keeps ready.
setFlagsFromString('--no-flush-bytecode');
// The optimizing compilers pay for themselves in code that is hot for long; what little a supervisor makes hot is
// its own start. They leave some 3 MB behind, and a standby would go on growing; `simulate` takes them back.
setFlagsFromString('--no-turbofan');
setFlagsFromString('--no-maglev');

const main = new URL('../dist/bundle/main.js', import.meta.url);

if (existsSync(main)) {
  // Node 22.8 and later; the types installed here are those of Node 20.
  /** @type {{ enableCompileCache?: () => unknown }} */ (module).enableCompileCache?.();
  /** @type {unknown} What `import` gives is not known to the compiler: the path is computed. */
  const imported = await import(main.href);
  const cli = /** @type {{ main: (argv: string[]) => Promise<void> }} */ (imported);
  await cli.main(process.argv);
} else {
  process.stderr.write('failover is not built: dist/bundle is missing. Run `npm run build`.\n');
  process.exitCode = 1;
}
