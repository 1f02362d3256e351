// Keeps what stands by ready: a process behind its gate (armed), or the workload itself (hot).
import type { EventBody } from './event.ts';
import type { NodeState } from './state.ts';
import type { Settings } from './settings.ts';
import type { Effect } from './effect.ts';
import type { Outcome } from './outcome.ts';
import { answerDueAt } from './deadlines.ts';
import { stay } from './outcome.ts';

type StandbyEvent = Extract<
  EventBody,
  {
    type: 'workload-armed' | 'workload-disarmed' | 'workload-failed' | 'workload-stopped';
  }
>;

/** What an answer says of the standby process; one that ended is replaced after the shortest backoff. */
export function standbyEvent(state: NodeState, event: StandbyEvent, settings: Settings): Outcome {
  switch (event.type) {
    case 'workload-armed':
      return stay({ ...state, armed: true, rearmAt: null });
    case 'workload-stopped': {
      // The process had ended before, or the order was of an earlier role: one is missing now.
      const rearmAt = state.armed && standsByReady(settings) ? state.at : state.rearmAt;
      return stay({ ...state, armed: false, rearmAt });
    }
    case 'workload-disarmed':
    case 'workload-failed': {
      const what = event.type === 'workload-failed' ? event.message : event.detail;
      const isKept = standsByReady(settings);
      // A process for the promotion under way is missed and started again by that.
      const warning = isKept ? `the standby process cannot be kept ready: ${what}` : state.warning;
      const rearmAt = isKept ? state.at + settings.retryBackoffMinMs : null;
      const next = { ...state, armed: false, warning, rearmAt };
      return event.type === 'workload-disarmed' ? stay(next, ...emptied(settings)) : stay(next);
    }
  }
}

/** The order to prepare a process, where the standby mode keeps one; given again if nobody answers. */
export function rearm<State extends NodeState>(
  state: State,
  settings: Settings,
): { readonly state: State; readonly effects: readonly Effect[] } {
  if (!standsByReady(settings) || state.armed) return { state, effects: [] };
  const rearmAt = answerDueAt(state.at);
  return { state: { ...state, rearmAt }, effects: [{ type: 'arm-workload' }] };
}

/** A hot workload that ended by itself may have left something behind, and each new start would leave more. */
function emptied(settings: Settings): readonly Effect[] {
  if (settings.standby !== 'hot') return [];
  return [{ type: 'stop-workload', graceMs: settings.fenceGraceMs }];
}

/** Whether a node keeps a process for the next promotion. */
export function standsByReady(settings: Settings): boolean {
  return settings.standby !== 'cold' && settings.hasWorkload;
}

/** A cold standby keeps no process: one that was spawned for a promotion that came to nothing is ended. */
export function withoutSpareProcess(outcome: Outcome, settings: Settings): Outcome {
  if (outcome.state.role !== 'secondary' || settings.standby !== 'cold') return outcome;
  if (!settings.hasWorkload) return outcome;
  const effects: readonly Effect[] = [...outcome.effects, { type: 'stop-workload', graceMs: 0 }];
  return { ...outcome, state: { ...outcome.state, armed: false }, effects };
}
