// During a look each path is asked for once, and what was changed since is never taken for what was seen.
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { identityOfPath } from '../../../src/lease/file/file-identity.ts';
import { FileSight } from '../../../src/lease/file/file-sight.ts';
import { temporaryDirectory } from '../support/fixtures.ts';

function oneFile(): string {
  const path = join(temporaryDirectory(), 'file');
  writeFileSync(path, '');
  return path;
}

it('tells what is there at the moment where no look is under way', () => {
  const sight = new FileSight();
  const path = oneFile();
  const first = sight.identityOf(path);
  expect(first).toBe(identityOfPath(path));
  renameSync(path, `${path}.moved`);
  expect([sight.identityOf(path), sight.statsOf(path)]).toEqual([null, null]);
  writeFileSync(path, '');
  expect(sight.identityOf(path)).toBe(identityOfPath(path));
  expect(sight.identityOf(path)).not.toBe(first);
  rmSync(path);
  renameSync(`${path}.moved`, path);
  expect(sight.identityOf(path)).toBe(first);
});

it('tells the same to all who ask during a look, also of what is missing', () => {
  const sight = new FileSight();
  const path = oneFile();
  const other = `${path}.other`;
  sight.during(() => {
    const before = [sight.identityOf(path), sight.statsOf(other)];
    rmSync(path);
    mkdirSync(other);
    expect([sight.identityOf(path), sight.statsOf(other)]).toEqual(before);
  });
  expect([sight.identityOf(path), sight.identityOf(other)]).toEqual([null, identityOfPath(other)]);
});

it.each<[string, (sight: FileSight) => unknown]>([
  [
    'something is to be changed',
    (sight) => {
      sight.expire();
    },
  ],
  ['another look has been taken meanwhile', (sight) => sight.during(() => sight.statsOf('/'))],
])('looks again for the rest of a look when %s', (_, interrupt) => {
  const sight = new FileSight();
  const path = oneFile();
  sight.during(() => {
    expect(sight.statsOf(path)).not.toBeNull();
    rmSync(path);
    interrupt(sight);
    expect(sight.statsOf(path)).toBeNull();
    writeFileSync(path, '');
    expect(sight.statsOf(path)).not.toBeNull();
  });
});

it('ends a look that fails', () => {
  const sight = new FileSight();
  const path = oneFile();
  const failing = (): void => {
    sight.statsOf(path);
    throw new Error('failed');
  };
  expect(() => {
    sight.during(failing);
  }).toThrow('failed');
  rmSync(path);
  expect(sight.statsOf(path)).toBeNull();
});
