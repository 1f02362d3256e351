// A lease that waits for its turn among those of its process.
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { groupPaths } from '../../../src/lease/file/group-paths.ts';
import { highestEpoch } from '../../../src/lease/file/epoch.ts';
import type { FormerNotes } from '../../../src/lease/file/former-notes.ts';
import { WHOLE_MACHINE } from '../../../src/lease/file/foundation.ts';
import type { AcquireOutcome } from '../../../src/lease/lease-store.ts';
import { granted, openLease, temporaryDirectory } from '../support/fixtures.ts';

/** One turn, which comes when it is told to. */
function heldBack(): {
  readonly turn: (meanwhile: () => void) => Promise<void>;
  readonly come: () => void;
  readonly pass: () => void;
} {
  let begin = (): void => undefined;
  let look = (): void => undefined;
  return {
    turn: (meanwhile) => {
      look = meanwhile;
      return new Promise((resolve) => {
        begin = resolve;
      });
    },
    come: () => {
      begin();
    },
    pass: () => {
      look();
    },
  };
}

it('nothing is claimed before it is its turn', async () => {
  const { turn, come } = heldBack();
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a', { turn });
  const { epochs } = groupPaths(join(stateDir, 'web'));
  const acquired = a.acquire(0);
  await new Promise(setImmediate);
  expect(highestEpoch(epochs)).toBe(0);
  come();
  expect(await granted(acquired)).toBe(1);
  expect(a.observe().held).toBe(true);
});

it.each(['release', 'close'] as const)(
  'a %s ends the wait, and nothing is taken after it',
  async (end) => {
    const { turn, come } = heldBack();
    const stateDir = temporaryDirectory();
    const a = openLease(stateDir, 'a', { turn });
    const b = openLease(stateDir, 'b');
    const acquired = a.acquire(0);
    await new Promise(setImmediate);
    await a[end]();
    expect(await acquired).toMatchObject({ type: 'denied', cause: 'lost-race' });
    come();
    await new Promise(setImmediate);
    expect(await granted(b.acquire(0))).toBe(1);
  },
);

interface Patient {
  readonly acquired: Promise<AcquireOutcome>;
  readonly come: () => void;
  /** It looks about, so many milliseconds later. */
  readonly passAfter: (ms: number) => void;
  /** How often all processes were asked since it began to wait. */
  readonly searches: () => number;
}

function patient(): Patient {
  let now = 0;
  let searches = 0;
  const { turn, come, pass } = heldBack();
  const findFormerNotes = (directory: string): FormerNotes => {
    searches += 1;
    return WHOLE_MACHINE.findFormerNotes(directory);
  };
  const environment = { now: () => now, findFormerNotes };
  const a = openLease(temporaryDirectory(), 'a', { turn, environment });
  const before = searches;
  return {
    acquired: a.acquire(0),
    come,
    passAfter: (ms) => {
      now += ms;
      pass();
    },
    searches: () => searches - before,
  };
}

it('lock files that are seen again and again meanwhile are not searched for', async () => {
  const { acquired, come, passAfter, searches } = patient();
  for (let looks = 0; looks < 3; looks += 1) passAfter(3_900);
  come();
  await granted(acquired);
  expect(searches()).toBe(0);
});

it('lock files that nobody has seen for four seconds are', async () => {
  const { acquired, come, passAfter, searches } = patient();
  passAfter(4_001);
  come();
  await granted(acquired);
  expect(searches()).toBe(1);
});
