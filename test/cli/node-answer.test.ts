// An answer from another process is believed only when it is whole.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readNodeStatus } from '../../src/cli/node-answer.ts';
import { primaryStatus, statusOf } from './support/snapshot.ts';

it('a status as a node sends it is believed', () => {
  for (const status of [statusOf('b'), primaryStatus('a')]) {
    const sent: unknown = JSON.parse(JSON.stringify(status));
    expect(readNodeStatus(sent)).toEqual(status);
  }
});

it('a node of an earlier version, which says nothing of its strategy, races', () => {
  const sent = { ...statusOf('b'), strategy: undefined, preemptsInMs: undefined };
  expect(readNodeStatus(sent)).toMatchObject({ strategy: 'race', preemptsInMs: null });
});

it('one that says nothing of whether it hears the primary takes it for silent where it does not', () => {
  const hears = (said: unknown): boolean | undefined =>
    readNodeStatus({ ...statusOf('b'), hearsPrimary: said })?.hearsPrimary;
  expect([undefined, true, false].map(hears)).toEqual([true, true, false]);
});

it.each(['id', 'role', 'phase', 'epoch', 'workload', 'lease', 'takeover', 'succession', 'willing'])(
  'one without %s is not',
  (name) => {
    expect(readNodeStatus({ ...statusOf('b'), [name]: undefined })).toBeNull();
  },
);

it('no value makes it throw', () => {
  fc.assert(
    fc.property(fc.anything(), fc.anything(), (value, field) => {
      expect(readNodeStatus(value)).toBeNull();
      readNodeStatus({ ...statusOf('b'), workload: field, lastTakeover: field, lease: field });
    }),
  );
});
