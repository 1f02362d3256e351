// What follows a demotion once the lease is given back: what is announced, and how long this node leaves the lead to
// others.
import type { Effect } from './effect.ts';
import type { PrimaryState, SecondaryState, StopOrder } from './state.ts';
import type { Demotion, Loss } from './state-parts.ts';
import type { Settings } from './settings.ts';
import { demotionWords } from './announcements.ts';
import { retryBackoff } from './jitter.ts';
import { assignInto, secondaryBase, waiting } from './outcome.ts';

export type Demoting = Extract<PrimaryState, { phase: 'demoting' }>;

/** Announced only by a node that gave the lease back: a lost lease is not ours to announce. */
export function announceEnd(state: Demoting, settings: Settings): readonly Effect[] {
  const { demotion } = state;
  if (demotion.why === 'lease-lost') return [];
  const ended = demotion.workloadEndedAt;
  return [
    {
      type: 'publish',
      announcement: {
        kind: 'shutdown',
        epoch: state.epoch,
        reason: demotion.reason,
        successor: demotion.successor,
        completed: demotion.completed,
        planned: isPlanned(demotion),
        workloadEndedAgoMs: ended === null ? null : Math.max(0, state.at - ended),
        ...demotionWords(state.health.demotions, state.at, settings),
      },
    },
  ];
}

function isPlanned({ why }: Demotion): boolean {
  return why !== 'workload-failed' && why !== 'start-failed' && why !== 'lease-lost';
}

/** Until somebody leads: it may be this node again. */
function ownLoss({ demotion, at }: Demoting, { nodeId }: Settings): Loss {
  const kind = isPlanned(demotion) ? 'switchover' : 'failover';
  const reason = `${nodeId} stepped down: ${demotion.reason}`;
  return { kind, reason, at: demotion.workloadEndedAt ?? at, from: nodeId };
}

/** The exit code of a node that left the lead without being told to stop, under --exit-on-demote. */
const EXIT_DEMOTED = 6;

/** The stop order by which the node ends after the demotion; null: it goes on as a secondary. */
export function stopOrderAfter(demotion: Demotion, settings: Settings): StopOrder | null {
  if (demotion.stop !== null) return demotion.stop;
  if (!settings.exitOnDemote) return null;
  const reason = `stepped down: ${demotion.reason}`;
  return { exitCode: EXIT_DEMOTED, reason, immediate: false };
}

/** How long the former primary leaves the lease to others. */
export function standbyAfter(state: Demoting, settings: Settings): SecondaryState {
  const { demotion, at, epoch } = { demotion: state.demotion, at: state.at, epoch: state.epoch };
  const base = assignInto(secondaryBase(state), { loss: ownLoss(state, settings) });
  switch (demotion.why) {
    case 'switchover':
    case 'unhealthy':
      return waiting(base, { until: at + settings.successorWindowMs, why: 'successor' });
    case 'demote': {
      const held =
        demotion.holdMs === null
          ? assignInto(base, { heldOffUntilEpochAbove: epoch })
          : assignInto(base, { heldOffUntil: at + demotion.holdMs });
      const until = demotion.holdMs === null ? Infinity : at + demotion.holdMs;
      return waiting(held, { until, why: 'not-willing' });
    }
    case 'workload-failed': {
      const holdMs = demotion.holdMs ?? 0;
      if (holdMs === 0)
        return waiting(base, { until: at + settings.successorWindowMs, why: 'backoff' });
      const until = at + holdMs;
      return waiting(assignInto(base, { heldOffUntil: until }), { until, why: 'not-willing' });
    }
    case 'suspend':
      return waiting(base, { until: at + settings.heartbeatTimeoutMs, why: 'free-lease' });
    case 'start-failed':
    case 'lease-lost':
    case 'stop':
    case 'completed': {
      const failures = state.failures + 1;
      const { delayMs, random } = retryBackoff({ failures, random: state.random }, settings);
      const until = at + delayMs;
      return waiting(assignInto(base, { failures, random }), { until, why: 'backoff' });
    }
  }
}
