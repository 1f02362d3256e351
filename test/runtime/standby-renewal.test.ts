// What stands by with a lock file that was replaced is ended before it is needed, and at no other time.
import { expect, it } from 'vitest';
import type { Event, EventBody } from '../../src/core/event.ts';
import type { LeaseObservation, NodeState } from '../../src/core/state.ts';
import { StandbyRenewal } from '../../src/runtime/standby-renewal.ts';
import { parseScenarios, replay } from '../support/core-replay.ts';

function after(...script: readonly string[]): NodeState {
  const [scenario] = parseScenarios(['== a test', ...script].join('\n'));
  if (scenario === undefined) throw new Error('there is no scenario');
  return replay(scenario).state;
}

const following = after('settings standby=armed', 'given following');
const acquiring = after('settings standby=armed', 'given following', 'at 1 connection-lost');
const clearing = after('given following', 'at 1 connection-lost', 'at 2 lease-granted epoch=4');
const serving = after('given serving');

function observed(held: boolean): Event {
  const observation: LeaseObservation = {
    ...{ epoch: 3, held, holder: null, recordUnreadable: false, touch: null, paused: false },
  };
  return { type: 'lease-observed', at: 3, observation };
}

const granted: Event = { type: 'lease-granted', at: 2, epoch: 4, previous: 'a', granted: null };

interface Stage {
  readonly renewal: StandbyRenewal;
  readonly stops: number[];
  readonly events: EventBody[];
  readonly warnings: string[];
  /** Ends the stop that is under way. */
  end: () => Promise<void>;
  inVain: boolean;
  state: NodeState;
}

function stage(state: NodeState): Stage {
  const ends: (() => void)[] = [];
  const stops: number[] = [];
  const events: EventBody[] = [];
  const warnings: string[] = [];
  const renewal = new StandbyRenewal({
    workload: () => ({
      hasStaleLock: () => made.inVain,
      stop: (graceMs) => {
        stops.push(graceMs);
        return new Promise<void>((resolve) => ends.push(resolve));
      },
    }),
    stopGraceMs: 700,
    state: () => made.state,
    dispatch: (event) => events.push(event),
    warn: (message) => warnings.push(message),
  });
  const end = async (): Promise<void> => {
    for (const one of ends.splice(0)) one();
    await Promise.resolve();
    await Promise.resolve();
  };
  const made: Stage = { renewal, stops, events, warnings, end, inVain: true, state };
  return made;
}

it('ends it once while another leads, and says that it is missing', async () => {
  const { renewal, stops, events, warnings, end } = stage(following);
  renewal.after({ event: observed(true), state: following });
  renewal.after({ event: observed(true), state: following });
  expect([stops, events]).toEqual([[700], []]);
  await end();
  expect(events).toEqual([{ type: 'workload-stopped' }]);
  expect(warnings).toEqual([
    'the standby process here is restarted: its lock file was removed or replaced',
  ]);
});

it('ends it with a grant: the start of the term waits for that, and hears of no other end', async () => {
  const made = stage(clearing);
  made.renewal.after({ event: granted, state: clearing });
  await made.end();
  expect([made.stops, made.events]).toEqual([[700], []]);
});

it('says that it is missing to one that has begun to claim meanwhile', async () => {
  const made = stage(following);
  made.renewal.after({ event: observed(true), state: following });
  made.state = acquiring;
  await made.end();
  expect(made.events).toEqual([{ type: 'workload-stopped' }]);
});

it('does so again after the next removal', async () => {
  const { renewal, stops, end } = stage(following);
  renewal.after({ event: observed(true), state: following });
  await end();
  renewal.after({ event: observed(true), state: following });
  expect(stops).toHaveLength(2);
});

it.each([
  ['while nobody leads: the claim is near, and its grant decides', observed(false), following],
  ['in a term', observed(true), serving],
  ['with a grant that comes too late', granted, following],
] as const)('leaves it alone %s', (_, event, state) => {
  const { renewal, stops } = stage(state);
  renewal.after({ event, state });
  expect(stops).toEqual([]);
});

it('leaves alone what can be activated', () => {
  const made = stage(following);
  made.inVain = false;
  made.renewal.after({ event: observed(true), state: following });
  expect(made.stops).toEqual([]);
});
