// What the commands say of a change of primary.
import { describe, expect, it } from 'vitest';
import { promotionText } from '../../../src/cli/commands/promote.ts';
import { nodeInRole } from '../../../src/cli/commands/wait.ts';
import {
  answering,
  healthyGroup,
  primaryStatus,
  silentNode,
  snapshotOf,
  statusOf,
} from '../support/snapshot.ts';

describe('a promotion', () => {
  const takeover = {
    kind: 'switchover',
    from: 'a',
    to: 'b',
    epoch: 8,
    reason: 'x',
    gapMs: 6.13,
  } as const;

  it('that was planned tells the gap between the two workloads', () => {
    expect(promotionText(takeover)).toBe(
      "b is primary at epoch 8: 6.1 ms between the old workload's end and the new one's start.",
    );
  });

  it('that was not tells the time from the loss', () => {
    expect(promotionText({ ...takeover, kind: 'failover' })).toBe(
      "b is primary at epoch 8: 6.1 ms from the loss of a to the new workload's start.",
    );
  });

  it('of the first primary has no gap', () => {
    const first = { ...takeover, kind: 'start', from: null } as const;
    expect(promotionText(first)).toBe('b is primary at epoch 8.');
  });
});

describe('waiting for a role', () => {
  it('ends with who has it', () => {
    const group = healthyGroup();
    expect(nodeInRole(group, { role: 'primary', node: null })?.record.node).toBe('a');
    expect(nodeInRole(group, { role: 'secondary', node: 'c' })?.record.node).toBe('c');
    expect(nodeInRole(group, { role: 'primary', node: 'b' })).toBeNull();
  });

  it.each([
    [
      'claims to lead and does not hold the lease',
      snapshotOf('b', [answering(primaryStatus('a')), answering(statusOf('b'))]),
    ],
    ['holds the lease and does not answer', snapshotOf('a', [silentNode('a', 'unresponsive')])],
    [
      'has not completed its promotion',
      snapshotOf('a', [answering(statusOf('a', { role: 'candidate', phase: 'starting' }))]),
    ],
  ])('goes on while a node %s', (_, group) => {
    expect(nodeInRole(group, { role: 'primary', node: null })).toBeNull();
  });

  it('does not take a node for a secondary that follows nobody yet', () => {
    const starting = statusOf('a', { phase: 'listening', primary: null });
    const group = snapshotOf(null, [answering(starting)]);
    expect(nodeInRole(group, { role: 'secondary', node: null })).toBeNull();
  });
});
