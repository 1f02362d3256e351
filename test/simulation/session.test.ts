// What signals do to the processes of a run: SIGKILL ends also what is stopped, and whatever is stopped after it.
import { describe, expect, it } from 'vitest';
import { transition } from '../../src/core/transition.ts';
import { FAULT_KINDS } from '../../src/simulation/faults.ts';
import { drawPlan } from '../../src/simulation/plan.ts';
import type { Session } from '../../src/simulation/session.ts';
import { World } from '../../src/simulation/world.ts';

/** By then the only node leads. */
const LEADS_MS = 2_000;

/** Longer than any signal takes. */
const SOON_MS = 50;

const STOPPED_FOR_MS = 3_000;

/** Of a node whose guard, or the kernel, can be had to end it. */
function running(lease: 'file' | 'timed'): { session: Session; passes: (ms: number) => void } {
  const plan = drawPlan({ seed: 1, nodes: 1, lease, kinds: FAULT_KINDS });
  const world = new World({ plan, transition, tell: null });
  world.start(0);
  world.timeline.runUntil(LEADS_MS);
  const [session] = world.sessions;
  if (session?.isActive !== true) throw new Error('nothing runs');
  const passes = (ms: number): void => {
    world.timeline.runUntil(world.at + ms);
  };
  return { session, passes };
}

describe('SIGKILL', () => {
  it('ends what is stopped', () => {
    const { session, passes } = running('file');
    session.freeze(STOPPED_FOR_MS);
    session.kill();
    passes(SOON_MS);
    expect(session.alive).toBe(false);
  });

  it('ends what is stopped after it was sent', () => {
    const { session, passes } = running('file');
    session.kill();
    session.freeze(STOPPED_FOR_MS);
    passes(SOON_MS);
    expect(session.alive).toBe(false);
  });

  it('of the kernel does so, too, where a guard is gone', () => {
    const { session, passes } = running('timed');
    session.loseGuard(SOON_MS);
    session.freeze(STOPPED_FOR_MS);
    passes(SOON_MS);
    expect(session.alive).toBe(false);
  });

  it('waits for a machine that stands still', () => {
    const { session, passes } = running('timed');
    session.kill();
    session.standStill(LEADS_MS + STOPPED_FOR_MS, 0);
    passes(STOPPED_FOR_MS - 1);
    expect(session.alive).toBe(true);
    passes(SOON_MS);
    expect(session.alive).toBe(false);
  });
});
