// What a node learns of a pause that it sets itself.
import { expect, it } from 'vitest';
import type { EventBody } from '../../src/core/event.ts';
import type { LeaseObservation } from '../../src/core/state.ts';
import { setPaused } from '../../src/runtime/set-paused.ts';

const OBSERVATION: LeaseObservation = {
  ...{ epoch: 3, held: true, holder: null, recordUnreadable: false, touch: null },
  paused: true,
};

async function told(
  set: () => Promise<void>,
  look: () => Promise<LeaseObservation>,
): Promise<{ readonly events: EventBody[]; readonly failure: unknown }> {
  const events: EventBody[] = [];
  let failure: unknown = null;
  await setPaused(
    {
      lease: { setPaused: set, look },
      clock: { now: () => 40 },
      dispatch: (event) => events.push(event),
    },
    true,
    'somebody',
  ).catch((error: unknown) => (failure = error));
  return { events, failure };
}

const done = (): Promise<void> => Promise.resolve();

it('learns what the lease shows after it is set', async () => {
  const order: string[] = [];
  const { events } = await told(
    () => Promise.resolve(void order.push('set')),
    () => Promise.resolve((order.push('look'), OBSERVATION)),
  );
  expect(order).toEqual(['set', 'look']);
  expect(events).toEqual([{ type: 'lease-observed', observation: OBSERVATION, askedAt: 40 }]);
});

it('is set also where the lease can not be looked at after it, which is done again', async () => {
  const { events, failure } = await told(done, () => Promise.reject(new Error('no answer')));
  expect(failure).toBeNull();
  expect(events).toEqual([{ type: 'lease-changed' }]);
});

it('fails where it can not be set, and shows nothing', async () => {
  const { events, failure } = await told(
    () => Promise.reject(new Error('no answer')),
    () => Promise.resolve(OBSERVATION),
  );
  expect(failure).toMatchObject({ message: 'no answer' });
  expect(events).toEqual([]);
});
