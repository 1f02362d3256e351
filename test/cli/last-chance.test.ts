// Whether a node took over when it could have, as its transitions tell it.
import { describe, expect, it } from 'vitest';
import { lastChanceIn } from '../../src/cli/last-chance.ts';
import type { ToldTransition } from '../../src/cli/node-events.ts';

/** `watching > suspecting: Silence` and so on, a second apart. */
function told(...steps: readonly string[]): readonly ToldTransition[] {
  return steps.map((step, index) => {
    const [, from = '', to = '', reason = ''] = /^(\w+) > (\w+): (.*)$/.exec(step) ?? [];
    const time = new Date(Date.UTC(2026, 2, 1, 12, 0, index)).toISOString();
    return { time, from, to, epoch: 3, reason };
  });
}

const TAKEOVER = [
  'watching > acquiring: The primary is lost',
  'acquiring > clearing: Holds the lease',
  'clearing > starting: Nothing is left',
  'starting > serving: This node is now primary',
];

describe('the last chance', () => {
  it('was taken where the node became primary', () => {
    expect(lastChanceIn(told('listening > watching: Follows', ...TAKEOVER))).toEqual({
      time: '2026-03-01T12:00:01.000Z',
      cause: 'The primary is lost',
      outcome: 'took-over',
      text: 'it took over',
    });
  });

  it('was not taken where it went back to watching, and says why', () => {
    const chance = lastChanceIn(
      told(
        ...TAKEOVER,
        'serving > watching: Stepped down',
        'watching > suspecting: No heartbeat',
        'suspecting > watching: The primary answers',
      ),
    );
    expect(chance).toMatchObject({
      cause: 'No heartbeat',
      outcome: 'did-not',
      text: 'it did not take over: the primary answers',
    });
  });

  it('is open while it still tries, also after a promotion that failed', () => {
    const chance = lastChanceIn(
      told(
        'watching > acquiring: The primary is lost',
        'acquiring > clearing: Holds the lease',
        'clearing > unwinding: The start failed',
        'unwinding > waiting: The lease is free again',
      ),
    );
    expect(chance).toMatchObject({
      cause: 'The primary is lost',
      outcome: 'open',
      text: 'it has not taken over yet: the lease is free again',
    });
  });

  it('ended with the node', () => {
    const chance = lastChanceIn(
      told('watching > waiting: Not willing', 'waiting > stopped: Stop requested'),
    );
    expect(chance).toMatchObject({
      outcome: 'ended',
      text: 'it exited before it could: stop requested',
    });
  });

  it('is none for a node that never had one, and phases of a later version are no reason to fail', () => {
    expect(lastChanceIn([])).toBeNull();
    expect(lastChanceIn(told('listening > watching: Follows'))).toBeNull();
    expect(lastChanceIn(told('watching > dreaming: Sleeps'))).toBeNull();
  });
});
