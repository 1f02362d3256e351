// Which targets are healthy after what the checks have found.
import { describe, expect, it } from 'vitest';
import { StateTracker } from '../../src/health/tracker.ts';
import type { HealthTarget } from '../../src/health/health-target.ts';
import { failureOf } from '../support/failover-error.ts';

function targets(...ids: readonly string[]): readonly HealthTarget[] {
  return ids.map((id) => ({ id, address: `tcp://${id}:80` }));
}

/** `+` where each result leaves it healthy, with `!` where the result changed that. */
function play(tracker: StateTracker, results: string): string {
  return Array.from(results, (letter) => {
    const flipped = tracker.record('a', letter === 'S');
    return `${tracker.isHealthy('a') ? '+' : '-'}${flipped ? '!' : ''}`;
  }).join(' ');
}

describe('the health of a target', () => {
  it.each([
    ['FFF', { fall: 3, rise: 2 }, '+ + -!'],
    ['FSS', { fall: 1, rise: 2 }, '-! - +!'],
    ['FFSFFF', { fall: 3, rise: 2 }, '+ + + + + -!'],
    ['FFFSS', {}, '+ + -! - +!'],
    ['FS', { fall: 0, rise: -5 }, '-! +!'],
  ])('after %s with %j', (results, thresholds, expected) => {
    expect(play(new StateTracker({ ...thresholds, targets: targets('a') }), results)).toBe(
      expected,
    );
  });

  it('is good for a new one and bad for one that is not known', () => {
    const tracker = new StateTracker({ fall: 1, targets: targets('a') });
    expect(tracker.isHealthy('a')).toBe(true);
    expect(tracker.isHealthy('b')).toBe(false);
    expect(tracker.record('b', true)).toBe(false);
    expect(tracker.counts().total).toBe(1);
  });

  it.each([
    [3, 2, 3, 2],
    [0, 2, 1, 2],
    [3, 0, 3, 1],
    [-1, -5, 1, 1],
  ])('goes by (%i, %i) as by (%i, %i)', (fall, rise, usedFall, usedRise) => {
    expect(new StateTracker({ fall, rise }).thresholds).toEqual({ fall: usedFall, rise: usedRise });
  });
});

describe('a list of targets', () => {
  it('has changed when one is added or removed, and only then', () => {
    const tracker = new StateTracker({ targets: targets('a') });
    expect(tracker.sync(targets('a'))).toBe(false);
    expect(tracker.sync(targets('a', 'b'))).toBe(true);
    expect(tracker.sync(targets('b', 'a'))).toBe(false);
    expect(tracker.sync(targets('b', 'c'))).toBe(true);
    expect(tracker.sync(targets('c'))).toBe(true);
    expect(tracker.isHealthy('b')).toBe(false);
    expect(tracker.healthy()).toEqual(targets('c'));
  });

  it('leaves nobody healthy when it is emptied', () => {
    const tracker = new StateTracker({ targets: targets('a', 'b') });
    expect(tracker.sync([])).toBe(true);
    expect(tracker.healthy()).toEqual([]);
    expect(tracker.counts()).toEqual({ total: 0, healthy: 0, unhealthy: 0 });
  });

  it('takes another address without a change, and without the results of the former one', () => {
    const tracker = new StateTracker({ fall: 2, rise: 2, targets: targets('a', 'b') });
    play(tracker, 'F');
    tracker.record('b', false);
    tracker.record('b', false);
    const moved = targets('a', 'b').map(({ id }) => ({ id, address: 'tcp://elsewhere:1' }));
    expect(tracker.sync(moved)).toBe(false);
    expect(tracker.target('a')).toEqual({ id: 'a', address: 'tcp://elsewhere:1' });
    expect(play(tracker, 'F')).toBe('+');
    expect(tracker.isHealthy('b')).toBe(false);
  });

  it('keeps what was found when the same is given again, also in parts', () => {
    const tracker = new StateTracker({ fall: 2, targets: targets('a') });
    play(tracker, 'F');
    tracker.sync([{ id: 'a', address: { protocol: 'tcp', host: 'a', port: 80 } }]);
    expect(play(tracker, 'F')).toBe('-!');
  });

  it('forgets one that is removed', () => {
    const tracker = new StateTracker({ fall: 1, targets: targets('a') });
    play(tracker, 'F');
    tracker.sync([]);
    tracker.sync(targets('a'));
    expect(tracker.isHealthy('a')).toBe(true);
  });

  it('is counted and listed the same way, in the order given', () => {
    const tracker = new StateTracker({ fall: 1, targets: targets('c', 'a', 'b') });
    play(tracker, 'F');
    expect(tracker.targets()).toEqual(targets('c', 'a', 'b'));
    expect(tracker.healthy()).toEqual(targets('c', 'b'));
    expect(tracker.counts()).toEqual({ total: 3, healthy: 2, unhealthy: 1 });
  });

  it('keeps what belongs to the program', () => {
    const tracker = new StateTracker({ targets: [{ id: 'a', address: 'tcp://a:1', weight: 3 }] });
    expect(tracker.healthy().map(({ weight }) => weight)).toEqual([3]);
  });

  it('is refused with one id twice or too many, and stays what it was', () => {
    const tracker = new StateTracker({ targets: targets('a') });
    const error = failureOf(() => tracker.sync(targets('b', 'c', 'b')));
    expect(error.message).toBe('Cannot use targets: two have the id "b"');
    const many = targets(...Array.from({ length: 10_001 }, (_, index) => String(index)));
    expect(failureOf(() => tracker.sync(many)).message).toContain('they are 10001');
    expect(tracker.targets()).toEqual(targets('a'));
  });
});
