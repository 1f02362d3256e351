// The order in which what killed nodes left is tidied up: ended first, then forgotten.
import { expect, it, vi } from 'vitest';
import { ownIdentity } from '../../src/fence/process-identity.ts';
import type { LocalGroup } from '../../src/lease/file/local-group.ts';
import type { NodeRecord } from '../../src/lease/lease-store.ts';
import type { NodeContext } from '../../src/runtime/node-parts.ts';
import { Tidying } from '../../src/runtime/tidying.ts';

/** No process of this machine has it, whatever number it has: none began before the machine. */
const ENDED = { ...ownIdentity(), startTime: '0' };

it('reads no record again while all whose records are known live, and forgets none', async () => {
  const { tidying, local } = tidyingOf([recordOf('a'), recordOf('b')]);
  await tidying.tidy();
  expect(local.listNodes).not.toHaveBeenCalled();
  expect(local.collectGarbage).toHaveBeenCalledExactlyOnceWith(new Set());
});

it('goes by what a node that has ended noted last, which may be newer than what is known of it', async () => {
  const known = recordOf('a', { supervisor: ENDED, standby: 'cold' });
  const { tidying, local } = tidyingOf([known, recordOf('b')], [{ ...known, standby: 'hot' }]);
  await tidying.tidy();
  expect(local.listNodes).toHaveBeenCalled();
  expect(local.collectGarbage).toHaveBeenCalledExactlyOnceWith(new Set(['a']));
});

it('forgets a hot node only once that one is looked after', async () => {
  const ended = recordOf('a', { supervisor: ENDED, standby: 'hot' });
  const { tidying, local } = tidyingOf([ended]);
  const order: string[] = [];
  local.listNodes.mockImplementation(() => {
    order.push('looked');
    return [Object.assign({}, ended, { alive: false })];
  });
  local.collectGarbage.mockImplementation(() => {
    order.push('forgotten');
    return 1;
  });
  await tidying.tidy();
  expect(order.at(-1)).toBe('forgotten');
  expect(order.filter((step) => step === 'forgotten')).toHaveLength(1);
  expect(order).toContain('looked');
});

it('forgets nothing once the lease is being closed, and looks after orphans all the same', async () => {
  const { tidying, local } = tidyingOf([recordOf('a', { supervisor: ENDED, standby: 'hot' })]);
  tidying.close();
  await tidying.tidy();
  expect(local.collectGarbage).not.toHaveBeenCalled();
  await expect(tidying.endOrphans()).resolves.toEqual(new Set(['a']));
});

it('does it one at a time', async () => {
  const { tidying, local } = tidyingOf([recordOf('a')]);
  await Promise.all([tidying.tidy(), tidying.tidy(), tidying.tidy()]);
  expect(local.collectGarbage).toHaveBeenCalledTimes(1);
});

it('warns where nothing can be looked at, and fails at nothing', async () => {
  const { tidying, local, warn } = tidyingOf([]);
  local.records.mockImplementation(() => {
    throw new Error('no descriptor left');
  });
  local.collectGarbage.mockImplementation(() => {
    throw new Error('not even one');
  });
  await tidying.tidy();
  expect(warn.mock.calls).toEqual([
    ['what a killed node left could not be looked for: no descriptor left'],
    ['records of other nodes could not be read: not even one'],
  ]);
});

/** `known`: what was read of each when it was looked at last; `now`: what is on record now. */
function tidyingOf(known: readonly NodeRecord[], now: readonly NodeRecord[] = known) {
  const local = {
    paths: {
      directory: '/nowhere/g',
      workloadLock: '/nowhere/g/workload.lock',
      roles: '/nowhere/g/roles',
    },
    records: vi.fn<LocalGroup['records']>(() => known),
    listNodes: vi.fn<LocalGroup['listNodes']>(() =>
      now.map((node) => Object.assign({}, node, { alive: node.supervisor !== ENDED })),
    ),
    collectGarbage: vi.fn<LocalGroup['collectGarbage']>(() => 0),
  };
  const warn = vi.fn<NodeContext['warn']>();
  const context = {
    options: { group: 'g' },
    settings: { fenceGraceMs: 0, stopGraceMs: 0 },
    local,
    warn,
  };
  // Of the node nothing else is used.
  return { tidying: new Tidying(context as unknown as NodeContext), local, warn };
}

function recordOf(run: string, told: Partial<NodeRecord> = {}): NodeRecord {
  return {
    v: 1,
    node: run,
    run,
    group: 'g',
    version: '1.0.0',
    host: 'here',
    supervisor: ownIdentity(),
    endsNamespace: false,
    endpoints: { bus: 'ipc:///none', rpc: 'ipc:///none' },
    standby: 'armed',
    priority: 100,
    startedAt: '2026-01-01T00:00:00.000Z',
    startedAtMonotonicMs: 0,
    sessions: [],
    ...told,
  };
}
