// What makes a node of a test act up at one exact step.
import { join } from 'node:path';

/** The environment of a node into which the shim is preloaded. */
export function shimmed(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { NODE_OPTIONS: `--import=${join(import.meta.dirname, 'process-shim.js')}`, ...env };
}
