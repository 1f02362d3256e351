// A world that wishes a node well: the lease is free, nobody else lives, and every effect succeeds.
import { drainLimitMs } from '../../src/core/attached-proxies.ts';
import type { Effect } from '../../src/core/effect.ts';
import type { EventBody } from '../../src/core/event.ts';
import { nextWakeAt } from '../../src/core/schedule.ts';
import type { Settings } from '../../src/core/settings.ts';
import { initialState } from '../../src/core/state.ts';
import type { LeaseObservation, NodeState } from '../../src/core/state.ts';
import type { StartPlan } from '../../src/core/state-parts.ts';
import { transition } from '../../src/core/transition.ts';

/** How long every answer takes, ms. */
const ANSWER_MS = 1;

export interface FairRun {
  readonly state: NodeState;
  readonly tookMs: number;
  readonly boundMs: number;
}

/** Runs until the node serves, or twice the bound has passed. */
export function fairEventsUntilServing(begun: NodeState, settings: Settings): FairRun {
  let state = begun.phase === 'stopped' ? initialState(begun.at, 3) : begun;
  const startedAt = state.at;
  const boundMs = boundOf(state, settings);
  const world = new FairWorld(state.epochFloor);
  const queue: { at: number; event: EventBody }[] = [
    { at: startedAt, event: { type: 'started' } },
    { at: startedAt, event: { type: 'enabled-changed', enabled: true } },
    { at: startedAt, event: { type: 'suspend-withdrawn' } },
    ...world.outstanding(state).map((event) => ({ at: startedAt, event })),
  ];
  if (begun.phase !== 'stopped') queue.shift();
  let at = startedAt;
  while (at - startedAt <= 2 * boundMs && !(state.phase === 'serving' && queue.length === 0)) {
    queue.sort((a, b) => a.at - b.at);
    const wakeAt = Math.max(at, nextWakeAt(state, settings));
    const next = queue[0];
    if (next === undefined && wakeAt === Infinity) break;
    const event = next !== undefined && next.at <= wakeAt ? queue.shift() : undefined;
    at = event?.at ?? wakeAt;
    const step = transition(state, { ...(event?.event ?? { type: 'time-passed' }), at }, settings);
    state = step.state.phase === 'stopped' ? initialState(at, 5) : step.state;
    if (step.state.phase === 'stopped') queue.push({ at, event: { type: 'started' } });
    for (const effect of step.effects) {
      for (const answer of world.answer(effect)) queue.push({ at: at + ANSWER_MS, event: answer });
    }
    if (state.phase === 'serving') break;
  }
  return { state, tookMs: at - startedAt, boundMs };
}

/** A hold that runs, the longest backoff, a refused demotion, and what one promotion takes. */
function boundOf(state: NodeState, settings: Settings): number {
  const holdMs = Math.max(0, state.heldOffUntil - state.at, heldAfterDemotion(state));
  const backoffMs = 1.5 * settings.retryBackoffMaxMs;
  const askMs =
    drainLimitMs(settings) +
    settings.demoteTimeoutMs +
    settings.stopGraceMs +
    settings.successorWindowMs +
    1_000;
  const doubtMs = 2 * settings.heartbeatTimeoutMs + settings.probeAttempts * 1_500;
  const { strategy, priorityWindowMs } = settings;
  const orderMs = strategy === 'race' ? 0 : 12 * priorityWindowMs + 1_000;
  return (
    orderMs +
    // For healthy nodes, of which there are none.
    settings.heartbeatTimeoutMs +
    holdMs +
    backoffMs +
    askMs +
    doubtMs +
    drainLimitMs(settings) +
    settings.heartbeatIntervalMs +
    1_000
  );
}

function heldAfterDemotion(state: NodeState): number {
  return state.phase === 'demoting' ? (state.demotion.holdMs ?? 0) : 0;
}

class FairWorld {
  #epoch: number;
  #held = false;

  constructor(epoch: number) {
    // Another has led meanwhile: a node that waits for that may lead again.
    this.#epoch = epoch + 1;
  }

  answer(effect: Effect): readonly EventBody[] {
    switch (effect.type) {
      case 'acquire-lease':
        this.#epoch = Math.max(this.#epoch, effect.floor) + 1;
        this.#held = true;
        return [{ type: 'lease-granted', epoch: this.#epoch, previous: null, granted: null }];
      case 'advance-epoch':
        this.#epoch = Math.max(this.#epoch, effect.floor) + 1;
        return [{ type: 'epoch-advanced', epoch: this.#epoch }];
      case 'mark-completed':
        return [{ type: 'completion-recorded' }];
      case 'release-lease':
        this.#held = false;
        return [{ type: 'lease-released', heldBy: null }];
      case 'observe-lease':
        return this.#held ? [] : [{ type: 'lease-observed', observation: this.#observe() }];
      case 'inspect-holder':
        return [this.#inspect()];
      case 'fence-holder':
        return [{ type: 'fence-finished', outcome: 'gone', detail: 'nobody' }];
      case 'clear-leftovers':
        return [{ type: 'leftovers-cleared', ended: 0 }];
      case 'probe':
        return [{ type: 'probe-failed', probe: effect.probe, cause: 'nobody there' }];
      case 'list-peers':
        return [{ type: 'peers-listed', peers: [] }];
      case 'request-demotion':
        return [{ type: 'demotion-answered', accepted: false, detail: 'nobody there' }];
      case 'arm-workload':
        return [{ type: 'workload-armed' }];
      case 'activate-workload':
        return [{ type: 'workload-activated' }, { type: 'workload-ready' }];
      case 'run-hook':
        return [{ type: 'hook-finished', hook: effect.hook, ok: true, detail: 'exit code 0' }];
      case 'check-health': {
        const { number } = effect;
        const detail = { outcome: 'passed', detail: '', cpuPressure: null } as const;
        return [{ type: 'health-checked', number, ...detail }];
      }
      case 'stop-workload':
        return [{ type: 'workload-stopped' }];
      case 'deactivate-workload':
        return [{ type: 'workload-deactivated' }];
      case 'suspend-process':
        return [{ type: 'suspend-withdrawn' }];
      default:
        return [];
    }
  }

  /** What the phase a node is in waits for. */
  outstanding(state: NodeState): readonly EventBody[] {
    const look: EventBody = { type: 'lease-observed', observation: this.#observe() };
    switch (state.phase) {
      case 'acquiring':
        return state.retryAt === null ? this.answer({ type: 'acquire-lease', floor: 0 }) : [];
      case 'clearing':
        this.#held = true;
        return this.#plan(state.plan);
      case 'restarting':
        this.#held = true;
        if (state.ending !== null) return [{ type: 'workload-stopped' }];
        return [
          ...this.#plan(state.plan),
          { type: 'workload-activated' },
          { type: 'workload-ready' },
        ];
      case 'starting':
        this.#held = true;
        return [{ type: 'workload-activated' }, { type: 'workload-ready' }];
      case 'promoting':
        this.#held = true;
        return [{ type: 'hook-finished', hook: 'promote', ok: true, detail: '' }];
      case 'unwinding':
        return [{ type: 'workload-stopped' }, { type: 'lease-released', heldBy: null }];
      case 'demoting':
        return [
          { type: 'hook-finished', hook: 'demote', ok: true, detail: '' },
          { type: 'workload-deactivated' },
          { type: 'workload-stopped' },
          { type: 'completion-recorded' },
          { type: 'lease-released', heldBy: null },
        ];
      case 'stopping':
        return [{ type: 'workload-stopped' }];
      case 'fencing':
        return [look, { type: 'fence-finished', outcome: 'gone', detail: '' }];
      default:
        return [look, { type: 'workload-armed' }];
    }
  }

  #plan(plan: StartPlan): readonly EventBody[] {
    const waits: EventBody[] = [
      { type: 'workload-armed' },
      { type: 'leftovers-cleared', ended: 0 },
    ];
    return plan.epoch === null
      ? [...waits, ...this.answer({ type: 'advance-epoch', floor: 0 })]
      : waits;
  }

  #observe(): LeaseObservation {
    return {
      epoch: this.#epoch,
      held: this.#held,
      holder: null,
      recordUnreadable: false,
      touch: null,
      paused: false,
    };
  }

  #inspect(): EventBody {
    return {
      type: 'holder-inspected',
      inspection: {
        observation: this.#observe(),
        holder: 'none',
        description: 'nobody',
        process: null,
        sample: null,
        cpuPressure: null,
      },
    };
  }
}
