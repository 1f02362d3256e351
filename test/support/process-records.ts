// What the nodes of a group say of themselves in its state directory.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface NodeFile {
  readonly node: string;
  readonly run: string;
  readonly endpoints: Readonly<Record<string, string>>;
  readonly supervisor: { pid: number };
  readonly sessions: readonly { readonly process: { pid: number } }[];
}

/** The records in a directory; one that is being written is left out. */
export function readNodeFiles(directory: string): readonly NodeFile[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory).flatMap((name) => {
    try {
      // Written by our own program, whose records other tests check, or by a test that spoils them.
      const record = JSON.parse(readFileSync(join(directory, name), 'utf8')) as Partial<NodeFile>;
      return isWhole(record) ? [record] : [];
    } catch {
      return [];
    }
  });
}

function isWhole(record: Partial<NodeFile>): record is NodeFile {
  const { endpoints, supervisor, sessions } = record;
  return endpoints !== undefined && supervisor !== undefined && sessions !== undefined;
}
