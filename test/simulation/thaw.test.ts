// A machine that stands still as a whole and goes on: for one tick of its guard what ran there is not held against
// it, and after that everything is.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { guardTickMs } from '../../src/core/lease-term.ts';
import { transition } from '../../src/core/transition.ts';
import type { Life } from '../../src/simulation/life.ts';
import { Session } from '../../src/simulation/session.ts';
import { readTranscript } from '../../src/simulation/transcript.ts';
import { World } from '../../src/simulation/world.ts';

const KEPT = join(import.meta.dirname, 'regressions', 'granted-within-a-tick-of-a-thaw.jsonl');

/** By then the first node leads. */
const LEADS_MS = 2_000;

/** Longer than its lease lasts and than the other node needs to lead. */
const FROZEN_UNTIL_MS = 20_000;

/** Node a leads until its supervisor is stopped and its workload stands still; then b is to lead. */
function frozenWorld(): { world: World; session: Session; tickMs: number; b: Life } {
  const world = new World({
    plan: readTranscript(readFileSync(KEPT, 'utf8')),
    transition,
    tell: null,
  });
  world.start(0);
  world.timeline.runUntil(LEADS_MS);
  const a = present(world.life(0));
  const session = present(world.sessions[0]);
  const tickMs = guardTickMs(present(world.timedLease).ttlMs);
  a.stop(Infinity, { uninterruptible: false });
  // No guard ends it: who would notice?
  vi.spyOn(session, 'kill').mockImplementation(() => undefined);
  session.standStill(FROZEN_UNTIL_MS, tickMs);
  world.start(1);
  return { world, session, tickMs, b: present(world.life(1)) };
}

describe('a workload whose machine stood still', () => {
  it('is not held against a grant while that lasts, nor for a tick of its guard after it', () => {
    const { world, tickMs, b } = frozenWorld();
    const grant = (): void => {
      world.checker.granted(b, 9);
    };
    expect(grant).not.toThrow();
    world.timeline.runUntil(FROZEN_UNTIL_MS + tickMs - 1);
    expect(grant).not.toThrow();
    world.timeline.runUntil(FROZEN_UNTIL_MS + tickMs);
    expect(grant).toThrow('epoch 9 is granted to b2 beside the workload of a1');
  });

  it('is not held against a start for as long, and then is', () => {
    const { world, session, tickMs, b } = frozenWorld();
    world.timeline.runUntil(FROZEN_UNTIL_MS + tickMs - 1);
    const start = (epoch: number): void => {
      const description = world.directoryOf(b);
      new Session(world, { kind: 'workload', owner: b, description }).activate(epoch);
    };
    for (const own of world.sessionsOf(b)) own.endFirst(0);
    expect(() => {
      start(10);
    }).not.toThrow();
    for (const own of world.sessionsOf(b)) own.endFirst(0);
    world.timeline.runUntil(FROZEN_UNTIL_MS + tickMs);
    expect(session.isActing).toBe(true);
    expect(() => {
      start(11);
    }).toThrow('beside the workload of a1');
  });

  it('breaks the promise a tick after the thaw beside another that is active', () => {
    const { world, session, tickMs, b } = frozenWorld();
    world.timeline.runUntil(FROZEN_UNTIL_MS + tickMs);
    expect(b.workload.active).not.toBeNull();
    expect(() => {
      world.checker.thawed(session);
    }).toThrow('a guard tick after the thaw, beside the workload of b2');
  });

  it('breaks it then also where the lease is another’s and nothing runs under it', () => {
    const { world, session, tickMs, b } = frozenWorld();
    world.timeline.runUntil(FROZEN_UNTIL_MS + tickMs);
    for (const own of world.sessionsOf(b)) own.endFirst(0);
    expect(world.leaseHolder).toBe(b);
    expect(() => {
      world.checker.thawed(session);
    }).toThrow("a guard tick after the thaw, and the lease is another's");
  });

  it('breaks nothing then where another stood still, too, and has its tick yet', () => {
    const { world, session, tickMs, b } = frozenWorld();
    world.timeline.runUntil(FROZEN_UNTIL_MS + tickMs);
    const other = present(b.workload.active);
    session.standStill(FROZEN_UNTIL_MS + tickMs, tickMs);
    expect(() => {
      world.checker.thawed(other);
    }).not.toThrow();
  });

  it('is held against what it begins after the thaw', () => {
    const { world, session } = frozenWorld();
    world.timeline.runUntil(FROZEN_UNTIL_MS);
    expect(session.isActing).toBe(false);
    expect(() => {
      session.activate(9);
    }).toThrow('begins beside the workload of b2');
    expect(session.isActing).toBe(true);
  });
});

function present<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error('it is not there');
  return value;
}
