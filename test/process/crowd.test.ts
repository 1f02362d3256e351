// Fifty nodes at once: one primary, and a takeover that costs no more than with one.
import { describe, expect, it } from 'vitest';
import { inGroup } from '../support/process-group.ts';

/** Far more than fifty nodes take to start beside other tests, on a machine of two cores too. */
const PATIENCE_MS = 180_000;

/** They are waited for when they start, when one takes over, and when they end. */
const LIMIT_MS = 3 * PATIENCE_MS;

describe('fifty secondaries', () => {
  it('that start at once find one primary, and one of them takes over', { timeout: LIMIT_MS }, () =>
    inGroup(
      async (group) => {
        const [a] = await group.startAll(['a']);
        await group.active(1);
        const others = Array.from({ length: 50 }, (_, i) => group.launch(`n${i}`));
        await group.until('all to follow', () => others.every(({ phase }) => phase === 'watching'));
        await group.hasStarted(1);
        a.kill('SIGKILL');
        const next = await group.primaryOf(others);
        expect((await group.active(2)).epoch).toBe(2);
        const rest = others.filter((node) => node !== next);
        await group.until('all to follow', () => rest.every(({ phase }) => phase === 'watching'));
        await group.hasStarted(2);
      },
      // A machine of two cores needs many seconds to start fifty processes: they are no hang.
      {
        options: {
          'heartbeat-interval': '500ms',
          'heartbeat-timeout': '5s',
          'probe-timeout': '2s',
        },
        patienceMs: PATIENCE_MS,
      },
    ),
  );
});
