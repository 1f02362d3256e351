// One group of a process: how its end counts, by what became of its node, which is made up.
import { EventEmitter } from 'node:events';
import { afterEach, expect, it, vi } from 'vitest';
import { GroupRun } from '../../../src/cli/up/group-run.ts';
import { runOptionsOf } from '../../../src/config/run-options.ts';
import { FailoverError } from '../../../src/errors.ts';
import { noTransport } from '../../../src/transport/node-transport.ts';

const { start, lack } = vi.hoisted(() => ({
  start: vi.fn<() => Promise<unknown>>(),
  lack: vi.fn<() => Error | null>(() => null),
}));

vi.mock('../../../src/runtime/failover-node.ts', () => ({ FailoverNode: { start } }));
vi.mock('../../../src/spare-descriptors.ts', () => ({ FOR_NODE: 64, lackOfNodeDescriptors: lack }));

afterEach(() => {
  start.mockReset();
  lack.mockReset();
});

const TAKEN = new FailoverError('FAILOVER_NODE_TAKEN', 'Cannot start node a: another has that id');

it.each([
  ['of a node that was told to', {}, { exitCode: 0, why: 'in order' }],
  [
    'of a node whose id another has: it may be that of its own former run, and is free after a while',
    { exitCode: 4, idTaken: TAKEN },
    { exitCode: 4, why: 'not started' },
  ],
  ['for an error of its own', { isBroken: true }, { exitCode: 0, why: 'internal error' }],
])('an end %s', async (_what, { exitCode = 0, ...more }: Ending, expected) => {
  start.mockResolvedValue(nodeThatEnds(exitCode, more));
  expect(await groupRun().ended).toEqual(expected);
});

it('is not started where who connects to it would leave the process without descriptors', async () => {
  lack.mockReturnValue(new Error('EMFILE: too many open files'));
  expect(await groupRun().ended).toEqual({ exitCode: 1, why: 'not started' });
  expect(start).not.toHaveBeenCalled();
});

interface Ending {
  readonly exitCode?: number;
  readonly idTaken?: FailoverError;
  readonly isBroken?: boolean;
}

function groupRun(): GroupRun {
  const shared = {
    ...{ transport: noTransport(), prefix: false, upkeepIntervalMs: 1_000, many: null },
    ...{ listener: null, rehearse: () => Promise.resolve(0) },
  };
  const options = runOptionsOf({ group: 'g', command: ['true'], quiet: true });
  return new GroupRun(options, shared, (work) => work());
}

function nodeThatEnds(exitCode: number, { idTaken, isBroken = false }: Ending) {
  return Object.assign(new EventEmitter(), {
    settings: { nodeId: 'a' },
    directory: '/nowhere',
    ended: Promise.resolve({ exitCode, reason: 'it is over', immediate: false }),
    idTaken: idTaken ?? null,
    isBroken,
  });
}
