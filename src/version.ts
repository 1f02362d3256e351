// The version of this package, from the one place that has it.
import { readFileSync } from 'node:fs';
import { packageFile } from './package-file.ts';

let known: string | null = null;

/** As in package.json, for example `0.1.0`. Read once. */
export function packageVersion(): string {
  known ??= readVersion();
  return known;
}

function readVersion(): string {
  const text = readFileSync(packageFile('package.json'), 'utf8');
  const manifest: unknown = JSON.parse(text);
  const hasVersion = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  if (!hasVersion || typeof manifest.version !== 'string') {
    throw new Error('package.json has no version');
  }
  return manifest.version;
}
