// What a client believes of nodes that another process tells of.
import { expect, it } from 'vitest';
import { readStoreAnswer } from '../../src/cli/store-answer.ts';

const NODE = {
  ...{ node: 'b', run: 'r', host: 'h2', version: '0.1.0', standby: 'cold', priority: 100 },
  ...{ startedAt: '2026-03-01T11:58:28.000Z', seenAgoMs: 120, pid: 7 },
  endpoints: { bus: 'tcp://h2:1', rpc: 'tcp://h2:2' },
};
const EVENT = { node: 'b', action: 'joined', epoch: 0, atMs: 1 };

it('is what is as it should be', () => {
  const answer = { nodes: [NODE], events: [EVENT] };
  expect(readStoreAnswer(answer)).toEqual(answer);
});

it('is of unknown pid where none is told', () => {
  const { pid, ...rest } = NODE;
  expect(pid).toBe(7);
  expect(readStoreAnswer({ nodes: [rest] }).nodes).toEqual([{ ...rest, pid: null }]);
});

it.each([
  null,
  [],
  { nodes: 7, events: {} },
  { nodes: [null, 7, {}, { ...NODE, node: '../x' }, { ...NODE, standby: 'warm' }] },
  {
    nodes: [
      { ...NODE, seenAgoMs: -1 },
      { ...NODE, endpoints: null },
      { ...NODE, host: 7 },
    ],
  },
  { events: [null, {}, { ...EVENT, action: 'toString' }, { ...EVENT, atMs: 1e300 }] },
])('is nothing of %j', (answer) => {
  expect(readStoreAnswer(answer)).toEqual({ nodes: [], events: [] });
});
