// Where this package's own files are, whether its modules run one by one or bundled.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * The absolute path of a file of this package.
 *
 * @param path As in the package, for example `bin/failover.js`.
 */
export function packageFile(path: string): string {
  // By the package's own name: bundled code is at another depth than its source.
  const manifest = createRequire(import.meta.url).resolve('failover-cli/package.json');
  return join(dirname(manifest), path);
}
