// Lives of a core for the journal's tests: steps by chance, the same each time, and their journal as text.
import type { Event, EventBody } from '../../src/core/event.ts';
import { nextWakeAt } from '../../src/core/schedule.ts';
import { initialState } from '../../src/core/state.ts';
import type { Settings } from '../../src/core/settings.ts';
import { transition } from '../../src/core/transition.ts';
import type { Step } from '../../src/core/transition.ts';
import { runLine, segmentLines } from '../../src/journal/lines.ts';
import type { RunLine } from '../../src/journal/lines.ts';
import { Recorder } from '../../src/journal/recorder.ts';
import { EVENT_KINDS, randomEvent } from '../support/core-random-events.ts';
import { DEFAULT_SETTINGS } from '../support/core-settings.ts';

export const ABOUT: Omit<RunLine, 'v' | 'kind'> = {
  group: 'web',
  node: 'b',
  run: 'b1',
  version: '1.0.0',
  host: 'h',
  pid: 7,
  startedAt: '2026-03-01T12:00:00.000Z',
  settings: DEFAULT_SETTINGS,
};

/** What a core decides over a life that the seed draws; ends early where the life does. */
export function stepsOfALife(
  seed: number,
  count: number,
  settings: Settings = DEFAULT_SETTINGS,
): readonly Step[] {
  const next = lcg(seed);
  const outside = { highestEpoch: 0 };
  const steps: Step[] = [];
  let state = initialState(0, seed + 1);
  let at = 0;
  while (steps.length < count && state.phase !== 'stopped') {
    at += next(4) === 0 ? next(900) + 0.1 * next(10) : 0;
    const isDue = steps.length > 0 && nextWakeAt(state, settings) <= at;
    const drawn = randomEvent({ kind: next(EVENT_KINDS), form: next(64) }, state, outside);
    const body = steps.length === 0 ? { type: 'started' as const } : drawn;
    const event: Event = isDue ? { type: 'time-passed', at } : { ...withHolder(body), at };
    const step = { ...transition(state, event, settings), before: state, event };
    steps.push(step);
    state = step.state;
  }
  return steps;
}

/** The journal of these steps, taken from the recorder every `every` steps. */
export function journalOf(steps: readonly Step[], every = 10): string {
  const recorder = new Recorder();
  let text = runLine(ABOUT);
  const write = (): void => {
    const segment = recorder.take();
    if (segment !== null) text += segmentLines(segment, new Date(0)).join('');
  };
  steps.forEach((step, index) => {
    recorder.note(step, () => index);
    if ((index + 1) % every === 0) write();
  });
  write();
  return text;
}

/** How a holder of the lease is described that has a secret among its arguments. */
export const DESCRIPTION = 'pid 7 (mysql -u root -psecret [x])';

function withHolder(body: EventBody): EventBody {
  if (body.type === 'leftovers-remain') return { ...body, detail: `${DESCRIPTION} is left alone` };
  if (body.type !== 'holder-inspected') return body;
  return { ...body, inspection: { ...body.inspection, description: DESCRIPTION } };
}

/** A small generator: the same numbers below `limit` for the same seed. */
function lcg(seed: number): (limit: number) => number {
  let value = seed >>> 0;
  return (limit) => {
    value = (Math.imul(value, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((value / 2 ** 32) * limit);
  };
}
