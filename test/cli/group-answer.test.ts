// Why nobody has taken over, in one sentence.
import { describe, expect, it } from 'vitest';
import { groupAnswerOf } from '../../src/cli/group-answer.ts';
import {
  answering,
  healthyGroup,
  primaryStatus,
  silentNode,
  snapshotOf,
  statusOf,
} from './support/snapshot.ts';

const waiting = { phase: 'waiting', primary: null } as const;

describe('the answer', () => {
  it('names the primary', () => {
    expect(groupAnswerOf(healthyGroup())).toBe('a is primary at epoch 7.');
  });

  it('adds that a paused group has no successor', () => {
    const group = healthyGroup();
    const observation = { ...group.observation, paused: true };
    expect(groupAnswerOf({ ...group, observation })).toBe(
      'a is primary at epoch 7. The group is paused: no node would take over automatically.',
    );
  });

  it('says what a primary is about that does not just serve', () => {
    const demoting = primaryStatus('a', { phase: 'demoting', reason: 'Stop requested' });
    expect(groupAnswerOf(snapshotOf('a', [answering(demoting)]))).toBe(
      'a is primary at epoch 7, and demoting: stop requested.',
    );
  });

  it('names a silent holder of the lease, in whose way nobody can get', () => {
    const group = snapshotOf('a', [silentNode('a', 'unresponsive', 'its process is stopped')]);
    expect(groupAnswerOf(group)).toBe(
      'a holds the lease of epoch 7, so no other node can lead, but does not answer: its process is stopped.',
    );
  });

  it('does not take a holder for one that takes over, or leads, that has stepped down', () => {
    const stepped = statusOf('a', { ...waiting, warning: 'the server does not answer' });
    expect(groupAnswerOf(snapshotOf('a', [answering(stepped)]))).toBe(
      'No node has taken over. a: the server does not answer',
    );
  });

  it('names who is taking over', () => {
    const candidate = statusOf('b', { role: 'candidate', phase: 'starting', reason: 'Starting' });
    expect(groupAnswerOf(snapshotOf('b', [answering(candidate)]))).toBe(
      'b is taking over: starting.',
    );
  });

  it('names a pause, who asked for it, and both ways out', () => {
    const base = snapshotOf(null, [answering(statusOf('b', waiting))]);
    const observation = { ...base.observation, paused: true };
    const pause = { by: 'root@h', at: '2026-03-01T12:00:00.000Z' };
    expect(groupAnswerOf({ ...base, observation, pause })).toBe(
      'No node has taken over: the group is paused by root@h. Run `failover resume --group web --state-dir /state`, ' +
        'or `failover promote --group web --state-dir /state`.',
    );
  });

  it('names why each would not', () => {
    const held = { ...waiting, willing: false, unwillingBecause: 'it holds off for 9 s' };
    const group = snapshotOf(null, [
      answering(statusOf('b', held)),
      silentNode('c', 'unresponsive', 'its process is stopped'),
    ]);
    expect(groupAnswerOf(group)).toBe(
      'No node has taken over: no live node may. b: it holds off for 9 s; c: its process is stopped.',
    );
  });

  it('leaves it to those that would', () => {
    expect(groupAnswerOf(snapshotOf(null, [answering(statusOf('b', waiting))]))).toBe(
      'No node has taken over: b is waiting; see below for what they wait for.',
    );
  });

  it('says that nobody lives, and that nobody ever did', () => {
    expect(groupAnswerOf(snapshotOf(null, [silentNode('a', 'gone')]))).toContain(
      'no node of the group is running. Start one with `failover run --group web --state-dir /state -- COMMAND`.',
    );
    expect(groupAnswerOf(snapshotOf(null, [], { paths: null }))).toMatch(
      /^No node of group web has ever run in \/state/,
    );
  });

  it('tells of a lease that a stranger holds', () => {
    const base = snapshotOf(null, [answering(statusOf('b', waiting))]);
    const observation = { ...base.observation, held: true, holder: null };
    expect(groupAnswerOf({ ...base, observation })).toMatch(
      /^No node has taken over\. The lease is held by a process that is not a live node of this group/,
    );
  });
});
