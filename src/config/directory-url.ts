// Reads `file:/DIRECTORY`: files that the machines of a group share.
import { isAbsolute, resolve } from 'node:path';
import { refuseUrl } from './refused-url.ts';

/** A directory that the machines of a group share. */
export interface FileDirectory {
  readonly kind: 'timed-file';
  readonly directory: string;
  readonly shown: string;
}

/** @throws FAILOVER_BAD_OPTION */
export function parseDirectory(text: string, source: string): FileDirectory {
  const path = text.slice('file:'.length).replace(/^\/\/(?=\/)/, '');
  // Two slashes would begin the name of a host.
  if (!isAbsolute(path) || path.startsWith('//')) {
    throw refuseUrl(text, source, {
      fact: 'must name a directory by an absolute path',
      expected: '`file`, or file:/DIRECTORY, a directory shared by all machines of the group',
    });
  }
  const directory = resolve(path);
  return { kind: 'timed-file', directory, shown: `file:${directory}` };
}
