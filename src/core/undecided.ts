// What is known before the outcome is, for clients that asked and should not wait for it in the dark: of a doubted primary,
// and of one whose lease has to end by itself.
import type { Effect, RequestOutcome } from './effect.ts';
import type { HolderInspection } from './event.ts';
import type { SecondaryState } from './state.ts';
import type { PendingRequest } from './state-parts.ts';
import type { Settings } from './settings.ts';
import type { Outcome } from './outcome.ts';
import type { Verdict } from './failure-detector.ts';
import { ENDING_LOOK_LIMIT_MS, STARVATION_LIMIT } from './settings.ts';
import { formatDuration, humanMs } from './duration-text.ts';
import { unwillingBecause } from './election-order.ts';

type Suspecting = Extract<SecondaryState, { phase: 'suspecting' }>;
type Listening = Extract<SecondaryState, { phase: 'listening' }>;

interface Seen {
  readonly inspection: HolderInspection;
  readonly settings: Settings;
}

/** A look at a silent holder that led to no step yet: says what was found, and until when it is waited. */
export function tellDoubt(outcome: Outcome, verdict: Verdict, seen: Seen): Outcome {
  const { state } = outcome;
  if (state.phase !== 'suspecting') return outcome;
  const doubt = doubtOf(state, verdict, seen);
  return doubt === null ? outcome : answered(outcome, doubt);
}

/** Nobody leads, and this node listens on before it claims. */
export function tellListening(outcome: Outcome, state: Listening, settings: Settings): Outcome {
  const forMs = humanMs(state.until - state.at);
  return answered(
    outcome,
    `there is no primary: ${settings.nodeId} listens for another ${forMs}, then claims the lease`,
  );
}

/** Nobody can end the holder of the lease from here: says until when the end of its lease is waited for. */
export function tellLeaseEnd(outcome: Outcome, { nodeId }: Settings): Outcome {
  const { state } = outcome;
  if (state.phase !== 'waiting' || state.why !== 'lease-end') return outcome;
  const holder = state.primary?.node ?? null;
  const lease = holder === null ? 'the lease' : `${holder}'s lease`;
  const limit = humanMs(state.until - state.at);
  return answered(
    outcome,
    `waiting up to ${limit} for ${lease} to end: ${nodeId} cannot kill its holder from here`,
  );
}

function doubtOf(
  state: Suspecting,
  verdict: Verdict,
  { inspection, settings }: Seen,
): string | null {
  const silent =
    state.primary === null
      ? 'the lease is held, but its holder has not identified itself'
      : `${state.primary.node} does not answer probes`;
  switch (verdict) {
    case 'too-early': {
      const limit = formatDuration(settings.heartbeatTimeoutMs);
      const leftMs = humanMs(lastSignOfLife(state) + settings.heartbeatTimeoutMs - state.at);
      const dead = `it counts as dead after ${limit} without a sign of life`;
      return `${silent}; ${dead}, in ${leftMs}: ${consequence(state, settings)}`;
    }
    case 'starved': {
      const limitMs = STARVATION_LIMIT * settings.heartbeatTimeoutMs;
      const leftMs = humanMs(state.heardAt + limitMs - state.at);
      const why = `it is starved of CPU (${inspection.description})`;
      return `${silent}: ${why}; waiting another ${leftMs} for it: ${consequence(state, settings)}`;
    }
    case 'ending':
      // Most such processes are gone at the next look or the one after it.
      if ((state.suspicion.nextLookAt ?? 0) - state.at < ENDING_LOOK_LIMIT_MS) return null;
      return `${silent}: it was killed but is not gone (${inspection.description}); waiting for it`;
    default:
      return null;
  }
}

function consequence(state: Suspecting, settings: Settings): string {
  const unwilling = unwillingBecause(state, settings);
  if (unwilling !== null) return `${settings.nodeId} does not take over: ${unwilling}`;
  if (settings.fence === 'none') return `then only its own exit frees the lease (--fence none)`;
  return `then ${settings.nodeId} takes over`;
}

/** The last sign of life of the judged holder: a message, an answer to a probe, or a seen change of its lock file. */
export function lastSignOfLife({ heardAt, touch }: Suspecting): number {
  return Math.max(heardAt, touch?.changedAt ?? heardAt);
}

/** Clients that wait for the verdict itself wait on. */
function answered(outcome: Outcome, detail: string): Outcome {
  const early = outcome.state.requests.filter(isEarly);
  if (early.length === 0) return outcome;
  const answer: RequestOutcome = { ok: true, takeover: null, detail, undecided: true };
  const answers = early.map(({ id }): Effect => ({
    type: 'answer',
    requestId: id,
    outcome: answer,
  }));
  const requests = outcome.state.requests.filter((request) => !isEarly(request));
  return {
    ...outcome,
    state: { ...outcome.state, requests },
    effects: [...outcome.effects, ...answers],
  };
}

function isEarly({ kind }: PendingRequest): boolean {
  return kind === 'check-early' || kind === 'promote-early';
}
