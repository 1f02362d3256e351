// What the commands say of a change of primary.
import { describe, expect, it } from 'vitest';
import { isServing, promotionText, withoutPrimary } from '../../../src/cli/commands/promote.ts';
import { nodeInRole, notFound } from '../../../src/cli/commands/wait.ts';
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
      "b is primary at epoch 8: 6.1 ms between the old workload's exit and the new one's start.",
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

describe('who is to be promoted', () => {
  it('serves already, or not', () => {
    const group = healthyGroup();
    expect(group.nodes.map((node) => [node.record.node, isServing(node, group)])).toEqual([
      ['c', false],
      ['a', true],
      ['b', false],
    ]);
  });

  it('is refused while it steps down', () => {
    const a = answering(primaryStatus('a', { phase: 'demoting' }));
    expect(() => isServing(a, snapshotOf('a', [a]))).toThrow(
      'Cannot promote a: it is stepping down',
    );
  });

  it('is refused while its process is stopped, with the way to continue it', () => {
    const b = silentNode('b', 'unresponsive', 'its process is stopped');
    const group = snapshotOf('a', [answering(primaryStatus('a')), b]);
    expect(() => isServing(b, group)).toThrow(
      expect.objectContaining({
        message: 'Cannot promote b: its process is stopped',
        hint: expect.stringContaining('kill -CONT 198') as string,
      }),
    );
  });
});

describe('a promotion that failed', () => {
  it.each([
    ['there is no primary now', snapshotOf(null, [])],
    ['the lease is held by a process that is not a node of the group', snapshotOf('a', [])],
    [
      'a holds the lease and does not answer: its process is stopped',
      snapshotOf('a', [silentNode('a', 'unresponsive', 'its process is stopped')]),
    ],
    [
      'a holds the lease and is demoting',
      snapshotOf('a', [answering(primaryStatus('a', { phase: 'demoting' }))]),
    ],
  ])('says that %s', (fact, snapshot) => {
    expect(withoutPrimary(snapshot)).toBe(fact);
  });
});

describe('waiting in vain', () => {
  const wanted = {
    group: 'web',
    stateDir: null,
    role: 'primary',
    node: null,
    timeoutMs: 2_500,
  } as const;
  const b = answering(statusOf('b'));

  it('names the time', () => {
    const { message, exitCode } = notFound(snapshotOf(null, [b]), wanted);
    expect(message).toBe(
      'Cannot wait any longer: in group web no node became primary within 2s500ms',
    );
    expect(exitCode).toBe(7);
  });

  it('names a pause, and how it ends', () => {
    const group = snapshotOf(null, [b]);
    const paused = { ...group, observation: { ...group.observation, paused: true } };
    const { message, hint } = notFound(paused, wanted);
    expect(message).toContain('within 2s500ms: the group is paused');
    expect(hint).toContain('failover resume --group web');
    expect(notFound(paused, { ...wanted, role: 'secondary' }).message).not.toContain('paused');
  });

  it('names a node that is not there, and an empty group', () => {
    expect(notFound(snapshotOf(null, [b]), { ...wanted, node: 'zz' }).message).toBe(
      'Cannot wait any longer: in group web zz did not become primary within 2s500ms: no node zz is running',
    );
    expect(notFound(snapshotOf(null, [b]), { ...wanted, node: 'zz', timeoutMs: 0 }).hint).toBe(
      'Run `failover status --group web` to list the nodes.',
    );
    const empty = snapshotOf(null, []);
    expect(notFound(empty, wanted).message).toContain(': no node is running');
    expect(notFound(empty, wanted).hint).toContain('failover run --group web');
    const elsewhere = ['Group web exists in /other: give `--state-dir /other`.'];
    expect(notFound({ ...empty, elsewhere }, wanted).hint).toBe(elsewhere[0]);
  });

  it('is exit code 3 for one look', () => {
    const { message, exitCode } = notFound(snapshotOf(null, [b]), { ...wanted, timeoutMs: 0 });
    expect(message).toBe('Cannot find a node as primary of group web');
    expect(exitCode).toBe(3);
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
