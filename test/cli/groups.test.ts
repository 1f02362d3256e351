// All groups of a state directory: which there are, and what is said of them together.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { exitCodeOfAll, groupsStatusOf, status } from '../../src/cli/commands/status.ts';
import type { StatusOptions } from '../../src/cli/commands/status.ts';
import { groupNames } from '../../src/cli/group-names.ts';
import { groupStatusOf } from '../../src/cli/group-status.ts';
import type { GroupStatus } from '../../src/cli/group-status.ts';
import { lookAtGroups } from '../../src/cli/groups.ts';
import type { SeenGroup } from '../../src/cli/groups.ts';
import { groupsLines } from '../../src/cli/render/groups-text.ts';
import { PLAIN } from '../../src/cli/render/plain.ts';
import {
  answering,
  healthyGroup,
  primaryStatus,
  snapshotOf,
  silentNode,
} from './support/snapshot.ts';

let stateDir = '';

beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'fo-groups-'));
});

afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
  rmSync(stateDir, { recursive: true, force: true });
});

describe('the groups of a directory', () => {
  it('are those that a node, or a lease of several machines, has begun', () => {
    makeGroup('web');
    makeGroup('api');
    mkdirSync(join(stateDir, 'shared', 'timed'), { recursive: true });
    mkdirSync(join(stateDir, 'lost+found'));
    mkdirSync(join(stateDir, 'a name'));
    mkdirSync(join(stateDir, 'empty'));
    writeFileSync(join(stateDir, 'file'), '');
    expect(groupNames(stateDir)).toEqual(['api', 'shared', 'web']);
  });

  it('are none where there is no directory', () => {
    expect(groupNames(join(stateDir, 'none'))).toEqual([]);
  });

  it('are all looked at, in the order of their names', async () => {
    const names = Array.from({ length: 40 }, (_, n) => `g${String(n).padStart(2, '0')}`);
    for (const name of names.toReversed()) makeGroup(name);
    const seen = await lookAtGroups({ stateDir });
    expect(seen.map(({ group }) => group)).toEqual(names);
    expect(seen.every((group) => group.status?.primary === null)).toBe(true);
  });

  it('are looked at no further once that is pointless', async () => {
    for (const name of ['a', 'b']) makeGroup(name);
    expect(await lookAtGroups({ stateDir }, AbortSignal.abort())).toEqual([]);
  });
});

describe('status without --group', () => {
  it('is that of the default group where there is none', async () => {
    expect(JSON.parse(await printed({ json: true }))).toMatchObject({ v: 1, group: 'default' });
    expect(process.exitCode).toBe(3);
  });

  it('is that of the only group there is, in the shape of one', async () => {
    makeGroup('web');
    expect(JSON.parse(await printed({ json: true }))).toMatchObject({ v: 1, group: 'web' });
    expect(await printed({ json: false })).toMatch(/^web {2}no node is running\n/);
  });

  it('is a list of several, and 3 where one has no primary', async () => {
    makeGroup('web');
    makeGroup('api');
    const shown = JSON.parse(await printed({ json: true })) as { groups: GroupStatus[] };
    expect(shown).toMatchObject({ v: 1, problems: [] });
    expect(shown.groups.map(({ group }) => group)).toEqual(['api', 'web']);
    expect(process.exitCode).toBe(3);
    expect(await printed({ json: false })).toContain('2 groups: 0 with a primary, 2 without');
  });

  it('with --group is of that one, however many there are', async () => {
    makeGroup('web');
    makeGroup('api');
    const text = await printed({ json: true, search: null, group: 'api' });
    expect(JSON.parse(text)).toMatchObject({ v: 1, group: 'api' });
  });

  async function printed(change: Partial<StatusOptions>): Promise<string> {
    let text = '';
    vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
      text += String(chunk);
      return true;
    });
    const options = { group: 'default', stateDir, json: true, watch: false, search: { stateDir } };
    await status({ ...options, ...change });
    vi.restoreAllMocks();
    return text;
  }
});

describe('several groups', () => {
  const well = seen('api', groupStatusOf(healthyGroup()));
  const nobody = seen('db', groupStatusOf(snapshotOf(null, [])));
  const unhealthy = primaryStatus('a', {
    workload: { pid: 1, state: 'running', command: ['x'], restarts: 0, health: 'unhealthy' },
  });
  const silent = silentNode('b', 'unresponsive', 'its process is stopped');
  const unwell = seen('web', groupStatusOf(snapshotOf('a', [answering(unhealthy), silent])));
  const closed: SeenGroup = { group: 'x', status: null, problem: 'Cannot look at /s/x' };

  it('are a row each', () => {
    const lines = groupsLines([well, nobody, unwell, closed], PLAIN);
    expect(lines.join('\n')).toMatchInlineSnapshot(`
      "GROUP  PRIMARY  EPOCH  NODES         HEALTH        LAST TAKEOVER                    WARNINGS
      api    a        7      3             -             failover z → a, measured 8.1 ms  -
      db     no node  7      0             -             -                                -
      web    a        7      2 (1 silent)  unhealthy: a  failover z → a, measured 8.1 ms  2
      x      ?        -      -             -             -                                -

      warning   x: Cannot look at /s/x
      4 groups: 2 with a primary, 1 without, 1 not known"
    `);
  });

  it('lose columns where there is no room, and never who leads', () => {
    const lines = groupsLines([well, unwell], PLAIN, 40);
    expect(lines[0]).toBe('GROUP  PRIMARY  HEALTH        WARNINGS');
  });

  it('have the worst exit code', () => {
    expect(exitCodeOfAll([])).toBe(0);
    expect(exitCodeOfAll([well, unwell])).toBe(0);
    expect(exitCodeOfAll([well, closed])).toBe(1);
    expect(exitCodeOfAll([well, closed, nobody])).toBe(3);
    // Paused by a misspelt name: no node of it has ever run.
    const never = seen('wbe', { ...groupStatusOf(snapshotOf(null, [])), epoch: 0, nodes: [] });
    expect(exitCodeOfAll([well, never])).toBe(0);
    expect(exitCodeOfAll([never])).toBe(3);
  });

  it('are the objects of each in JSON, and name what could not be looked at', () => {
    const shown = groupsStatusOf([well, closed]);
    expect(shown).toEqual({
      v: 1,
      groups: [well.status],
      problems: [{ group: 'x', problem: 'Cannot look at /s/x' }],
    });
  });
});

// Nothing is closed to root.
const isRoot = process.getuid?.() === 0;

it.skipIf(isRoot)('tells of a group that is not for us to look at, and of the others', async () => {
  makeGroup('mine');
  makeGroup('theirs');
  chmodSync(join(stateDir, 'theirs'), 0);
  const groups = await lookAtGroups({ stateDir });
  expect(groups.map(({ problem }) => problem === null)).toEqual([true, false]);
  chmodSync(join(stateDir, 'theirs'), 0o700);
});

function seen(group: string, of: GroupStatus): SeenGroup {
  return { group, status: { ...of, group }, problem: null };
}

function makeGroup(name: string): void {
  mkdirSync(join(stateDir, name, 'nodes'), { recursive: true });
}
