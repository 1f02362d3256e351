// The messages a node publishes, made from its state alone.
import type { Effect } from './effect.ts';
import type { CandidateState, NodeState, PrimaryState } from './state.ts';
import { toldDemotions } from './health.ts';
import type { HealthDemotions, HealthWords } from './health.ts';
import { successionOf } from './election-order.ts';
import type { Settings } from './settings.ts';

type Holding =
  | PrimaryState
  | Extract<CandidateState, { phase: 'clearing' | 'starting' | 'promoting' | 'unwinding' }>;

/** One heartbeat of a holder of the lease, with the order of succession. */
export function heartbeat(state: Holding, settings: Settings): Effect {
  const isPrimary = state.role === 'primary';
  const chosen = isPrimary ? state.chosen : state.loss.chosen === true;
  return {
    type: 'publish',
    announcement: {
      kind: 'heartbeat',
      epoch: state.epoch,
      phase: isPrimary ? 'primary' : 'promoting',
      uptimeMs: Math.round(state.at - state.startedAt),
      succession: isPrimary ? successionOf(state.standbys, state.at, settings) : [],
      lastTakeover: state.lastTakeover,
      standing: { priority: settings.priority, chosen },
      ...healthWords(state, settings),
    },
  };
}

/** The health of the workload, where that is checked, and how often the lead was handed over for it recently. */
function healthWords(state: Holding, settings: Settings): HealthWords {
  const { health, at } = state;
  if (!settings.hasHealthCheck) return demotionWords(health.demotions, at, settings);
  return { health: health.status, ...demotionWords(health.demotions, at, settings) };
}

/** The hand-overs for health so far, so that whoever leads next does not hand over again at once. */
export function demotionWords(
  demotions: HealthDemotions,
  at: number,
  settings: Settings,
): Pick<HealthWords, 'demotions'> {
  const told = toldDemotions(demotions, at, settings);
  return told === null ? {} : { demotions: told };
}

/** A change of role, for those who watch the group. */
export function roleChange(state: NodeState, reason: string): Effect {
  const epoch = 'epoch' in state ? state.epoch : state.epochFloor;
  return { type: 'publish', announcement: { kind: 'role', epoch, role: state.role, reason } };
}
