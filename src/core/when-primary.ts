// A primary: it serves, starts its workload again in place, and steps down in order.
import { formatDuration } from './duration-text.ts';
import type { Event, EventBody } from './event.ts';
import type { Effect } from './effect.ts';
import type { PrimaryState } from './state.ts';
import type { Settings } from './settings.ts';
import type { Outcome } from './outcome.ts';
import { assignInto, stay } from './outcome.ts';
import { recentProxies, withoutProxy, withProxy } from './attached-proxies.ts';
import { recentStandbys, withStandby } from './election-order.ts';
import { ended, restarting } from './restarting.ts';
import { beginDemotion, drainedFurther, epochTaken, hasLeft, whenDemoting } from './demotion.ts';
import { beatsALook, isLookDue, nextPulseAt } from './schedule.ts';
import { heartbeat } from './announcements.ts';
import { hasLedInPeace, keepsLeadBecause } from './preemption.ts';
import { refuse } from './ending.ts';

type Serving = Extract<PrimaryState, { phase: 'serving' }>;
type Restarting = Extract<PrimaryState, { phase: 'restarting' }>;

/** @param state one that nobody else has: what is decided may be written into it */
export function whenPrimary(state: PrimaryState, event: Event, settings: Settings): Outcome {
  switch (event.type) {
    case 'standby-heard': {
      const standbys = withStandby(state.standbys, event.standby, state.at);
      return stay(assignInto(state, { standbys }));
    }
    case 'proxy-attached':
    case 'proxy-drained':
      return event.epoch === state.epoch ? toldByProxy(state, event, settings) : stay(state);
    case 'lease-changed':
      return leaseChanged(state);
    case 'enabled-changed':
      return stay({ ...state, enabled: event.enabled });
    case 'time-passed':
      if (event.at >= state.pulseAt) return pulse(state, settings);
      break;
    case 'promote-requested':
      return stay(state, alreadyPrimary(state, event.requestId));
    case 'check-requested':
      return stay(state, alreadyPrimary(state, event.requestId));
    default:
      break;
  }
  if (state.phase === 'demoting') return whenDemoting(state, event, settings);
  return (
    whenToldToEnd(state, event, settings) ??
    (state.phase === 'serving'
      ? serving(state, event, settings)
      : restarting(state, event, settings))
  );
}

function toldByProxy(
  before: PrimaryState,
  { type, proxy }: Extract<Event, { type: 'proxy-attached' | 'proxy-drained' }>,
  settings: Settings,
): Outcome {
  const proxies =
    type === 'proxy-attached'
      ? withProxy(before.proxies, proxy, before.at)
      : withoutProxy(before.proxies, proxy);
  const state = { ...before, proxies };
  return state.phase === 'demoting' ? drainedFurther(state, settings) : stay(state);
}

/** Somebody changed or removed the lease: what this node does as its holder ends at once then. */
function leaseChanged(state: PrimaryState): Outcome {
  const observe: Effect = { type: 'observe-lease' };
  if (state.phase !== 'demoting' || !hasLeft(state)) {
    return stay(state, { type: 'verify-lease', scope: 'all' }, observe);
  }
  // Giving it back changes the lease as well: this node looks once it is a secondary.
  return state.demotion.step === 'release' ? stay(state) : stay(state, observe);
}

/**
 * The holder's beat: proves that it still holds, and says so to everyone. What it stands on is told as it changes, so
 * that a look at all of it at one in six heartbeats is enough; but for a lease that ends by itself, or where the
 * heartbeats are far apart.
 */
function pulse(before: PrimaryState, settings: Settings): Outcome {
  const { at } = before;
  const isLeaving = before.phase === 'demoting' && hasLeft(before);
  const isDue = !isLeaving && isLookDue(at - before.verifiedAt, beatsALook(settings), settings);
  const state = assignInto(before, {
    preemptions: hasLedInPeace(before, settings) ? 0 : before.preemptions,
    standbys: recentStandbys(before.standbys, at, settings),
    proxies: recentProxies(before.proxies, at),
    pulseAt: nextPulseAt(before, settings),
    verifiedAt: isDue ? at : before.verifiedAt,
  });
  if (isLeaving) return stay(state);
  const scope = isDue ? 'all' : 'lock';
  return stay(state, { type: 'verify-lease', scope }, heartbeat(state, settings));
}

function alreadyPrimary(state: PrimaryState, requestId: string): Effect {
  const detail =
    state.phase === 'demoting'
      ? 'this node is stepping down'
      : `this node is the primary at epoch ${String(state.epoch)}`;
  if (state.phase === 'demoting') return refuse(requestId, detail);
  return { type: 'answer', requestId, outcome: { ok: true, takeover: null, detail } };
}

function whenToldToEnd(
  state: Serving | Restarting,
  event: Event,
  settings: Settings,
): Outcome | null {
  switch (event.type) {
    case 'stop-requested': {
      const { order } = event;
      return beginDemotion(
        'demote-to-stop',
        { state, settings },
        {
          why: 'stop',
          reason: order.reason,
          stop: order,
        },
      );
    }
    case 'suspend-requested':
      return beginDemotion(
        'demote-to-suspend',
        { state: { ...state, suspend: true }, settings },
        {
          why: 'suspend',
          reason: 'suspended',
        },
      );
    case 'lease-lost':
      return beginDemotion(
        'demote-on-lease-loss',
        { state, settings },
        {
          why: 'lease-lost',
          reason: event.cause,
          withinMs: event.withinMs,
        },
      );
    case 'lease-observed': {
      const reason = epochTaken(state, event.observation, settings);
      if (reason === null) return stay(state);
      return beginDemotion(
        'demote-on-lease-loss',
        { state, settings },
        { why: 'lease-lost', reason, withinMs: 0 },
      );
    }
    case 'demote-requested':
      return askedToDemote(state, event, settings);
    default:
      return null;
  }
}

function askedToDemote(
  state: Serving | Restarting,
  event: Extract<EventBody, { type: 'demote-requested' }>,
  settings: Settings,
): Outcome {
  const { requestId, successor, holdMs, answerEarly } = event;
  if (state.phase === 'restarting') {
    return stay(state, refuse(requestId, 'the workload is being restarted; try again'));
  }
  const against = event.preempting === true ? keepsLeadBecause(state) : null;
  if (against !== null) return stay(state, refuse(requestId, against));
  const requests = answerEarly
    ? state.requests
    : [...state.requests, { id: requestId, kind: 'demote' as const }];
  const detail = `stepping down from epoch ${String(state.epoch)}`;
  const answer: readonly Effect[] = answerEarly
    ? [{ type: 'answer', requestId, outcome: { ok: true, takeover: null, detail } }]
    : [];
  const outcome = beginDemotion(
    'demote-on-request',
    { state: { ...state, requests }, settings },
    {
      why: successor === null ? 'demote' : 'switchover',
      reason: purposeOf(event),
      successor,
      holdMs,
    },
  );
  return { ...outcome, effects: [...answer, ...outcome.effects] };
}

/** The successor that the demotion makes room for, or how long this node stays out of the lead. */
function purposeOf({
  successor,
  holdMs,
  preempting,
}: Extract<EventBody, { type: 'demote-requested' }>): string {
  if (successor !== null && preempting === true) return `${successor} outranks this node`;
  if (successor !== null) return `to promote ${successor}`;
  return holdMs === null ? 'until another node has led' : `for ${formatDuration(holdMs)}`;
}

function serving(state: Serving, event: Event, settings: Settings): Outcome {
  switch (event.type) {
    case 'workload-ended':
      return ended(state, event, settings);
    case 'leftovers-remain':
      return stay({ ...state, warning: event.detail });
    default:
      return stay(state);
  }
}
