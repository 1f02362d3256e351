// What a node answers to each question, in each of its states.
import { describe, expect, it } from 'vitest';
import { CHECKS, refusalOf } from '../../src/http/node-checks.ts';
import type { NodeSight } from '../../src/http/node-checks.ts';

function sight(parts: Partial<NodeSight>): NodeSight {
  return {
    ...{ id: 'a', role: 'secondary', phase: 'watching', epoch: 3, primary: 'b', health: null },
    ...{ unhealthyBecause: null, willing: true, unwillingBecause: null, reason: 'Follows b' },
    ...parts,
  };
}

/** The checks that are answered with yes. */
function yes(parts: Partial<NodeSight>): string {
  return CHECKS.filter((check) => refusalOf(check, sight(parts)) === null).join(' ');
}

describe('the checks of a node', () => {
  it.each<[string, Partial<NodeSight>, string]>([
    [
      'a primary that serves',
      { role: 'primary', phase: 'serving' },
      'primary health liveness readiness',
    ],
    [
      'a primary that starts its workload again',
      { role: 'primary', phase: 'restarting' },
      'liveness',
    ],
    ['a primary that steps down', { role: 'primary', phase: 'demoting' }, 'health liveness'],
    ['a candidate', { role: 'candidate', phase: 'starting' }, 'health liveness'],
    ['one that follows', {}, 'secondary health liveness readiness'],
    ['one that doubts', { phase: 'suspecting' }, 'secondary health liveness readiness'],
    ['one that waits for its turn', { phase: 'waiting' }, 'secondary health liveness readiness'],
    ['one that has not looked yet', { phase: 'listening' }, 'health liveness'],
    [
      'one that would not take over',
      { willing: false, unwillingBecause: 'it is held off' },
      'secondary health liveness',
    ],
    ['one whose standby is healthy', { health: 'healthy' }, 'secondary health liveness readiness'],
    ['one not known to be healthy', { health: 'unknown' }, 'secondary health liveness readiness'],
    ['one that is ill', { health: 'unhealthy' }, 'liveness'],
    [
      'a primary that is ill',
      { role: 'primary', phase: 'serving', health: 'unhealthy' },
      'primary liveness readiness',
    ],
    ['one that ends', { role: 'stopped', phase: 'stopping' }, 'health'],
  ])('%s', (_, parts, expected) => {
    expect(yes(parts)).toBe(expected);
  });

  it('are refused with what is the case', () => {
    const ill = sight({ health: 'unhealthy', unhealthyBecause: 'status 500' });
    const held = sight({ willing: false, unwillingBecause: 'it is held off' });
    expect(refusalOf('primary', sight({}))).toBe('a is secondary (watching)');
    expect(refusalOf('primary', sight({ role: 'primary', phase: 'demoting' }))).toBe(
      'a is primary, and demoting',
    );
    expect(refusalOf('health', ill)).toBe('a is unhealthy: status 500');
    expect(refusalOf('readiness', held)).toBe('a would not take over: it is held off');
    expect(refusalOf('liveness', sight({ role: 'stopped', phase: 'stopping' }))).toBe(
      'a is ending',
    );
  });
});
