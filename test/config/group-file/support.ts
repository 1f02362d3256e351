// A file of groups in a directory of its own, and what comes of reading it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadGroupFile } from '../../../src/config/group-file/load-group-file.ts';
import type { GroupFile } from '../../../src/config/group-file/load-group-file.ts';
import { temporaryDirectory } from '../../lease/support/fixtures.ts';
import { failureOf } from '../../support/failover-error.ts';

interface More {
  readonly env?: Readonly<Record<string, string>>;
  readonly flags?: Readonly<Record<string, unknown>>;
}

export function load(text: string | Buffer, { env = {}, flags = {} }: More = {}): GroupFile {
  const path = join(temporaryDirectory(), 'f.yaml');
  writeFileSync(path, text);
  return loadGroupFile({ path, flags, env });
}

/** What is wrong, a line each, without the path; the message where it is one thing without a place. */
export function faultsOf(text: string | Buffer, more: More = {}): readonly string[] {
  const { facts, message } = failureOf(() => load(text, more));
  return facts.length === 0 ? [message] : facts.map((fact) => fact.replace(/^.*?f\.yaml:/, ''));
}
