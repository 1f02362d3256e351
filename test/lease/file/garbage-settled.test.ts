// What is looked at every few seconds is read again where it has changed, and from time to time in any case.
import { readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it, vi } from 'vitest';
import { ownIdentity } from '../../../src/fence/process-identity.ts';
import { statOrNull } from '../../../src/lease/file/file-identity.ts';
import type * as FileIdentity from '../../../src/lease/file/file-identity.ts';
import { Garbage } from '../../../src/lease/file/garbage.ts';
import { openLease, ownRecord, temporaryDirectory } from '../support/fixtures.ts';
import { startLeader } from '../support/session-leader.ts';

const { statOrNull: real } = await vi.importActual<typeof FileIdentity>(
  '../../../src/lease/file/file-identity.ts',
);

vi.mock('../../../src/lease/file/file-identity.ts', async (original) => ({
  ...(await original<typeof FileIdentity>()),
  statOrNull: vi.fn(),
}));

/** How often what has a path has changed, as the file system tells it. */
const changes = new Map<string, bigint>();
const deniedPaths = new Set<string>();

beforeEach(() => {
  changes.clear();
  deniedPaths.clear();
  vi.mocked(statOrNull).mockImplementation((path): BigIntStats | null => {
    const stats = deniedPaths.has(path) ? null : real(path);
    // The time of a claim is what its age is told by.
    if (stats === null || path.includes('/claims/')) return stats;
    const ctimeNs = changes.get(path) ?? 0n;
    return Object.assign(stats, { size: 0n, mtimeNs: 0n, ctimeNs });
  });
});

const rules = {
  starter: (): null => null,
  isGoneElsewhere: (): boolean => false,
  lookedAfter: new Set<string>(),
};

/** A primary that has looked twice, with a second node `b` that lives. */
function settled() {
  let now = 0;
  const { paths } = openLease(temporaryDirectory(), 'a');
  const garbage = new Garbage(paths, () => now);
  const b = { v: 1, ...ownRecord('b'), sessions: [] } as const;
  const path = join(paths.nodes, `${b.run}.json`);
  const write = (record: object): void => {
    writeFileSync(path, JSON.stringify({ ...b, ...record }));
  };
  const hosts = (): readonly string[] => garbage.records().map(({ host }) => host);
  write({ host: 'one' });
  garbage.collect(rules);
  now = 3_000;
  garbage.collect(rules);
  const pass = (ms: number): void => {
    now += ms;
  };
  const change = (changed: string): void => {
    changes.set(changed, (changes.get(changed) ?? 0n) + 1n);
  };
  return { garbage, paths, path, write, hosts, pass, change, run: b.run };
}

it('reads a record again when it has changed, or half a minute later', () => {
  const { hosts, path, write, pass, change } = settled();
  write({ host: 'two' });
  expect(hosts()).toContain('one');
  change(path);
  expect(hosts()).toContain('two');
  pass(3_000);
  expect(hosts()).toContain('two');
  write({ host: 'three' });
  expect(hosts()).toContain('two');
  pass(30_000);
  expect(hosts()).toContain('three');
});

it('sees who comes and who goes', () => {
  const { garbage, paths, path, change } = settled();
  const other = { v: 1, ...ownRecord('c'), sessions: [] } as const;
  writeFileSync(join(paths.nodes, `${other.run}.json`), JSON.stringify(other));
  rmSync(path);
  expect(garbage.records().map(({ node }) => node)).toEqual(['a']);
  change(paths.nodes);
  expect(
    garbage
      .records()
      .map(({ node }) => node)
      .sort(),
  ).toEqual(['a', 'c']);
});

it('sees one again that could not be read', () => {
  const { hosts, path, write, change } = settled();
  writeFileSync(path, '{');
  change(path);
  expect(hosts()).not.toContain('one');
  write({ host: 'two' });
  change(path);
  expect(hosts()).toContain('two');
});

it('removes the record of one that has ended, by what it wrote last', () => {
  const { garbage, paths, path, write, run, change, pass } = settled();
  const supervisor = { ...ownIdentity(), startTime: '1' };
  write({ supervisor });
  change(path);
  // What it wrote last shows by no time: before it is removed, it is read again.
  garbage.records();
  pass(3_000);
  garbage.records();
  const leader = startLeader();
  const kind = { kind: 'workload', active: true, keep: false, stopsWithSupervisor: true };
  write({ supervisor, sessions: [{ process: leader, ...kind }] });
  expect(garbage.collect(rules)).toBe(0);
  write({ supervisor });
  expect(garbage.collect(rules)).toBe(1);
  expect(readdirSync(paths.nodes)).not.toContain(`${run}.json`);
});

it('removes a stray claim once it is old, though none has come or gone since', () => {
  const { garbage, paths, change, pass } = settled();
  const stray = join(paths.claims, '00aa.json');
  writeFileSync(stray, '{}');
  change(paths.claims);
  garbage.collect(rules);
  pass(3_000);
  garbage.collect(rules);
  expect(readdirSync(paths.claims)).toContain('00aa.json');
  const longAgo = new Date(Date.now() - 120_000);
  utimesSync(stray, longAgo, longAgo);
  garbage.collect(rules);
  expect(readdirSync(paths.claims)).not.toContain('00aa.json');
});

it('keeps the record of one that lives after all, by what it wrote last', () => {
  const { garbage, paths, path, write, run, change, pass } = settled();
  write({ supervisor: { ...ownIdentity(), startTime: '1' } });
  change(path);
  garbage.records();
  pass(3_000);
  garbage.records();
  write({});
  expect(garbage.collect(rules)).toBe(0);
  expect(readdirSync(paths.nodes)).toContain(`${run}.json`);
});

it('keeps the record of another boot whose age can not be told', () => {
  const { garbage, paths, path, write, run, change } = settled();
  write({ supervisor: { ...ownIdentity(), bootId: 'another' } });
  change(path);
  deniedPaths.add(path);
  expect(garbage.collect(rules)).toBe(0);
  expect(readdirSync(paths.nodes)).toContain(`${run}.json`);
});

it('takes what can not be looked at for what may be there', () => {
  const { garbage, paths, path, hosts } = settled();
  const own = readdirSync(paths.claims);
  const longAgo = new Date(Date.now() - 120_000);
  for (const name of own) utimesSync(join(paths.claims, name), longAgo, longAgo);
  for (const denied of [paths.nodes, path]) deniedPaths.add(denied);
  for (const name of readdirSync(paths.nodes)) deniedPaths.add(join(paths.nodes, name));
  expect(hosts()).toContain('one');
  garbage.collect(rules);
  expect(readdirSync(paths.claims)).toEqual(own);
  rmSync(paths.nodes, { recursive: true });
  garbage.collect(rules);
  expect(readdirSync(paths.claims)).toEqual(own);
});
