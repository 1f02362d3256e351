// Faults of what has to be true before a workload starts: everything earlier is gone, and is known to be.
import { SIMULATED, transcript } from './mutant.js';

/** @type {readonly import('./mutant.js').Mutant[]} */
export const STARTING = [
  {
    id: 'start-without-emptying',
    says: 'A workload starts without waiting until what earlier runs left is gone.',
    breaks: 'S1',
    file: 'src/core/start-plan.ts',
    from: 'return plan.armed && plan.cleared && plan.epoch !== null;',
    to: 'return plan.armed && plan.epoch !== null;',
    killers: [SIMULATED, transcript('first in the succession: claims at once')],
  },
  {
    id: 'restart-without-emptying',
    says: 'A restart in place does not wait until the last run is gone: sh -c "server & exit 1" runs twice.',
    breaks: 'S1',
    file: 'src/core/restarting.ts',
    from: 'plan: beginPlan(state.at, settings, { armed: false, epoch: null }),',
    to: 'plan: { ...beginPlan(state.at, settings, { armed: false, epoch: null }), cleared: true },',
    killers: [transcript('what an earlier run left is still there')],
  },
  {
    id: 'leftovers-looked-at-once',
    says: 'What could not be ended at the first look is never looked at again.',
    breaks: 'S4',
    file: 'src/core/start-plan.ts',
    from: 'return { ...plan, clearAgainAt: event.at + CLEAR_RETRY_MS };',
    to: 'return { ...plan, clearAgainAt: event.at + CLEAR_RETRY_MS * Infinity };',
    killers: [
      transcript('something of an earlier run can not be ended: looked at again every 250 ms'),
    ],
  },
  {
    id: 'lost-lease-keeps-workload',
    says: 'A primary that has lost its lease serves on.',
    breaks: 'S1',
    file: 'src/core/when-primary.ts',
    from: `    case 'lease-lost':
      return beginDemotion(
        'demote-on-lease-loss',
        { state, settings },
        {
          why: 'lease-lost',
          reason: event.cause,
          withinMs: event.withinMs,
        },
      );`,
    to: `    case 'lease-lost':
      return stay(state);`,
    killers: [SIMULATED, transcript('the lease is lost while serving: no drain')],
  },
  {
    id: 'newer-epoch-keeps-workload',
    says: 'A primary that sees a higher epoch in the lease serves on.',
    breaks: 'S1',
    file: 'src/core/demotion.ts',
    from: 'if (seen <= epoch || holder?.run === settings.run) return null;',
    to: 'if (seen >= 0 || seen <= epoch || holder?.run === settings.run) return null;',
    killers: [transcript('a newer epoch of another is in the lease')],
  },
  {
    id: 'hot-demotion-unconfirmed',
    says: 'A hot workload goes on as secondary although its demote command failed.',
    breaks: 'S1',
    file: 'src/core/demotion.ts',
    from: "return settings.standby === 'hot' && demotion.confirmed && goesOn;",
    to: "return settings.standby === 'hot' && goesOn;",
    killers: [SIMULATED, transcript('an unconfirmed demotion stops it and starts it anew')],
  },
  {
    id: 'stop-failure-taken-for-stop',
    says: 'The lease is given back although the workload could not be stopped.',
    breaks: 'S1',
    file: 'src/core/demotion.ts',
    from: `      if (demotion.step === 'stop') return lastOrder(state, event);
      return stoppedBefore(`,
    to: `      if (demotion.step === 'stop') return release(state);
      return stoppedBefore(`,
    killers: [
      SIMULATED,
      transcript('stopping the workload fails: it is tried again, and the lease is kept'),
    ],
  },
  {
    id: 'overdue-stop-taken-for-stop',
    says: 'The lease is given back when nobody has confirmed in time that the workload ended.',
    breaks: 'S1',
    file: 'src/core/demotion.ts',
    from: `        ? endWorkload(state, graceMs(state, settings))
        : lastOrder(state, event);
    case 'complete':`,
    to: `        ? endWorkload(state, graceMs(state, settings))
        : release(state);
    case 'complete':`,
    killers: [
      SIMULATED,
      transcript('stopping the workload of a primary: the lease is kept until it is confirmed'),
    ],
  },
];
