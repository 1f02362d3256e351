// Drives the core through random events: it never throws, time always passes, and it comes to serve.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextWakeAt } from '../../src/core/schedule.ts';
import type { Settings } from '../../src/core/settings.ts';
import { initialState } from '../../src/core/state.ts';
import type { NodeState } from '../../src/core/state.ts';
import { transition } from '../../src/core/transition.ts';
import { TRANSITIONS } from '../../src/core/transitions.ts';
import { fairEventsUntilServing } from '../support/core-fair-world.ts';
import { EVENT_KINDS, randomEvent } from '../support/core-random-events.ts';
import type { Outside } from '../support/core-random-events.ts';
import { settingsWith } from '../support/core-settings.ts';

/** Steps of time between events, ms: most at once, some after a beat, a few after a sleep. */
const DELAYS_MS = [0, 0, 0, 1, 1, 5, 20, 60, 250, 500, 1_000, 2_500, 12_000] as const;

interface Step {
  readonly kind: number;
  readonly form: number;
  readonly delay: number;
}

const draw: fc.Arbitrary<Step> = fc.record({
  kind: fc.nat(EVENT_KINDS - 1),
  form: fc.nat(63),
  delay: fc.nat(DELAYS_MS.length - 1),
});

const settings: fc.Arbitrary<Settings> = fc
  .record({
    startRole: fc.constantFrom('auto', 'primary', 'secondary'),
    standby: fc.constantFrom('cold', 'armed', 'hot'),
    hasReadyCheck: fc.boolean(),
    hasPromoteCommand: fc.boolean(),
    hasDemoteCommand: fc.boolean(),
    fence: fc.constantFrom('kill', 'kill-unless-stopped', 'none'),
    restart: fc.constantFrom('always', 'always', 'on-failure', 'never'),
    exitOnDemote: fc.boolean(),
    strategy: fc.constantFrom('race', 'race', 'priority'),
    preempt: fc.boolean(),
    preemptDelayMs: fc.constant(2_000),
    hasHealthCheck: fc.boolean(),
    hasStandbyHealthCheck: fc.boolean(),
    healthFall: fc.constantFrom(1, 2),
    healthRise: fc.constantFrom(1, 2),
    healthGraceMs: fc.constantFrom(0, 1_000),
    healthHoldMs: fc.constant(2_000),
    drainMs: fc.constantFrom(0, 1_000),
    coolOffMs: fc.constant(5_000),
    leaseTtlMs: fc.constant(3_000),
    leaseTickMs: fc.constant(500),
    leaseRequestTimeoutMs: fc.constant(500),
    leaseMaxDriftMs: fc.constant(1_500),
  })
  .map((changes) => settingsWith(changes as Partial<Settings>));

const phases = new Set(Object.values(TRANSITIONS).flatMap((row) => [...row.from, row.to]));

/** A wake-up that changes nothing is allowed this often in a row at one instant. */
const IDLE_WAKE_LIMIT = 10;

let steps = 0;
const pairsSeen = new Set<string>();

/** One life after another under the given events. */
function live(config: Settings, draws: readonly Step[]): NodeState {
  const outside: Outside = { highestEpoch: 0 };
  let at = 0;
  const begin = (seed: number): NodeState =>
    transition(initialState(at, seed), { type: 'started', at }, config).state;
  let state = begin(7);
  for (const { kind, form, delay } of draws) {
    at += DELAYS_MS[delay] ?? 0;
    if (state.phase === 'stopped') state = begin(form + 1);
    const event = randomEvent({ kind, form }, state, outside);
    pairsSeen.add(`${state.phase} ${event.type}`);
    state = transition(state, { ...event, at }, config).state;
    steps += 1;
    expectSound(state, config);
    state = wakeAt(state, at, config);
  }
  return state;
}

/** Delivers what is due now, and proves that it comes to an end. */
function wakeAt(before: NodeState, at: number, config: Settings): NodeState {
  let state = before;
  for (let idle = 0; nextWakeAt(state, config) <= at; idle += 1) {
    if (idle > IDLE_WAKE_LIMIT) throw new Error(`time stands still in ${state.phase}`);
    state = transition(state, { type: 'time-passed', at }, config).state;
    steps += 1;
    expectSound(state, config);
  }
  return state;
}

/** Plain checks: an assertion library call per step would cost more than the steps. */
function expectSound(state: NodeState, config: Settings): void {
  if (!phases.has(state.phase)) throw new Error(`unknown phase ${state.phase}`);
  if (Number.isNaN(nextWakeAt(state, config))) throw new Error(`no time to wake in ${state.phase}`);
}

/** The same draws each time, so that what they reach is known; others by CORE_SEED, more by CORE_RUNS. */
const RUNS = {
  numRuns: Number(process.env['CORE_RUNS'] ?? 1_000),
  seed: Number(process.env['CORE_SEED'] ?? 20_261_121),
};

describe('transition', () => {
  it('decides every sequence of events without breaking an invariant or standing still', () => {
    fc.assert(
      fc.property(
        settings,
        fc.array(draw, { minLength: 1, maxLength: 400, size: 'max' }),
        (config, draws) => {
          live(config, draws);
        },
      ),
      RUNS,
    );
    expect(steps).toBeGreaterThan(100_000);
  });

  it('was asked about every kind of event in every phase', () => {
    const missing = [...phases]
      .filter((phase) => phase !== 'stopped')
      .filter((phase) => [...pairsSeen].filter((pair) => pair.startsWith(`${phase} `)).length < 20);
    expect(missing).toEqual([]);
  });

  it('comes to serve from anywhere, once the lease is free and everything succeeds', () => {
    fc.assert(
      fc.property(settings, fc.array(draw, { maxLength: 60, size: 'max' }), (config, draws) => {
        const willing: Settings = { ...config, exitOnDemote: false, restart: 'always' };
        const { state, tookMs, boundMs } = fairEventsUntilServing(live(willing, draws), willing);
        if (state.phase !== 'serving')
          throw new Error(`ends ${state.phase} after ${String(tookMs)}`);
        if (tookMs > boundMs) throw new Error(`took ${String(tookMs)} of ${String(boundMs)} ms`);
      }),
      RUNS,
    );
  });
});
