// What `run` refuses before it takes part: it says why, ends with the right code, and leaves nothing.
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ANOTHER_USER, mayBeAnotherUser } from '../support/another-user.ts';
import { inGroup } from '../support/process-group.ts';
import type { Group } from '../support/process-group.ts';
import { shimmed } from '../support/process-shimmed.ts';

describe('a state directory without kernel locks', () => {
  it.each([
    ['refused', 'ENOLCK'],
    ['shared', 'two holders had it at once'],
  ])('(%s) is refused with 2: nothing there would keep two apart', (locks, fact) =>
    inGroup(async (group) => {
      const a = group.launch('a', { env: shimmed({ SHIM_LOCKS: locks }) });
      expect(await group.ends(a)).toBe(2);
      expect(a.stray).toMatch(/^failover: Cannot lock \/.+: /);
      expect(a.stray).toContain(fact);
      expect(a.stray).toContain('--state-dir');
      expect([group.starts, a.log]).toStrictEqual([0, []]);
      // What it tried is gone, and the next one finds a directory to work in.
      expect(group.files(group.groupDir).filter((name) => name.includes('probe'))).toStrictEqual(
        [],
      );
      await group.startAll(['b']);
    }),
  );
});

// Root may write everywhere, and has its sockets in one place for all.
describe.runIf(mayBeAnotherUser)('a socket that can not be', () => {
  const asUser = { asUser: ANOTHER_USER };

  it('bound, in a directory that is not to be written: ends with 2 and names the address', () =>
    inGroup(async (group) => {
      socketDirectory(group, 0o500);
      await refuses(
        group,
        2,
        /Cannot create a socket at \S+\/run\/failover\/\S+: permission denied/,
      );
    }, asUser));

  it('made, since its directory can not: ends with 2 and names the directory', () =>
    inGroup(async (group) => {
      mkdirSync(group.path('run'));
      writeFileSync(group.path('run/failover'), '');
      await refuses(group, 2, /Cannot put sockets in \S+\/run\/failover: it is not a directory/);
    }, asUser));

  it('private: ends with 1 and names who could reach it', () =>
    inGroup(async (group) => {
      socketDirectory(group, 0o777);
      await refuses(group, 1, /Cannot put sockets in \S+\/run\/failover: others have access/);
    }, asUser));

  it('named, since its path is too long: ends with 2, the length and the limit', () =>
    inGroup(async (group) => {
      const long = group.path('x'.repeat(110));
      mkdirSync(long);
      chownSync(long, ANOTHER_USER, ANOTHER_USER);
      const env = { XDG_RUNTIME_DIR: long };
      await refuses(group, 2, /the path has \d+ bytes, the limit is 10\d/, env);
    }, asUser));
});

function socketDirectory(group: Group, mode: number): void {
  const directory = join(group.path('run'), 'failover');
  mkdirSync(directory, { recursive: true });
  chownSync(directory, ANOTHER_USER, ANOTHER_USER);
  chmodSync(directory, mode);
}

/** Starts a node that does not get so far as to take part, and leaves no trace of it. */
async function refuses(
  group: Group,
  code: number,
  sentence: RegExp,
  env: NodeJS.ProcessEnv = {},
): Promise<void> {
  const a = group.launch('a', { env });
  expect(await group.ends(a)).toBe(code);
  expect(a.stray).toMatch(sentence);
  expect(a.stray).toMatch(/^failover: Cannot .+\n.+\n$/);
  expect([group.starts, a.log, group.records()]).toStrictEqual([0, [], []]);
}
