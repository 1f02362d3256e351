// The one table of transitions: where a node may go, on what, and the sentence that is logged then.
// The diagram in the documentation is drawn from it, and a step that is not in it is refused.
import type { Phase } from './state.ts';

export interface TransitionRow {
  readonly from: readonly Phase[];
  readonly to: Phase;
  /** Short, for the diagram. */
  readonly on: string;
  /** What is logged; the detail of the moment follows it after a colon. */
  readonly sentence: string;
}

export const TRANSITIONS = {
  // A secondary and the lease
  'found-primary': {
    from: ['listening', 'watching', 'waiting', 'suspecting', 'fencing', 'asking'],
    to: 'watching',
    on: 'another holds the lease',
    sentence: 'Another node holds the lease; following it',
  },
  'found-primary-apart': {
    from: ['listening', 'watching', 'waiting', 'suspecting', 'fencing', 'asking', 'acquiring'],
    to: 'watching',
    on: 'another holds the lease, unreachable',
    sentence:
      'Another node holds the lease but cannot be heard; following it through the lease alone',
  },
  'claim-at-start': {
    from: ['listening'],
    to: 'acquiring',
    on: 'nobody leads',
    sentence: 'There is no primary at start; claiming the lease',
  },
  'claim-on-shutdown': {
    from: ['watching', 'suspecting', 'waiting', 'asking'],
    to: 'acquiring',
    on: 'shutdown announced',
    sentence: 'The primary released the lease; claiming it',
  },
  'claim-on-disconnect': {
    from: ['watching', 'suspecting', 'waiting', 'asking'],
    to: 'acquiring',
    on: 'connection dropped',
    sentence: 'The primary is lost; claiming the lease',
  },
  'claim-when-free': {
    from: ['suspecting', 'asking', 'waiting'],
    to: 'acquiring',
    on: 'lease found free',
    sentence: 'The lease is free; claiming it',
  },
  'claim-after-fencing': {
    from: ['fencing'],
    to: 'acquiring',
    on: 'holder fenced',
    sentence: 'The silent primary has been fenced; claiming the lease',
  },
  'claim-after-wait': {
    from: ['waiting'],
    to: 'acquiring',
    on: 'wait over',
    sentence: 'The wait is over; claiming the lease',
  },
  'claim-on-request': {
    from: ['listening', 'watching', 'suspecting', 'waiting'],
    to: 'acquiring',
    on: 'promotion requested',
    sentence: 'Promotion requested and there is no primary; claiming the lease',
  },
  'wait-not-willing': {
    from: ['listening', 'watching', 'suspecting', 'fencing', 'asking', 'waiting'],
    to: 'waiting',
    on: 'nobody leads, not willing',
    sentence: 'There is no primary, but this node may not claim the lease',
  },
  'wait-for-turn': {
    from: ['watching', 'suspecting'],
    to: 'waiting',
    on: 'loss, others go first',
    sentence: 'The primary is gone; nodes ahead of this one in the succession go first',
  },
  'wait-for-successor': {
    from: ['watching', 'suspecting', 'asking'],
    to: 'waiting',
    on: 'successor named',
    sentence: 'The primary is handing over to another node; leaving the lease to it',
  },
  'wait-for-peers': {
    from: ['listening', 'watching', 'suspecting', 'waiting'],
    to: 'waiting',
    on: 'nobody leads, by priority',
    sentence: 'There is no primary; looking for nodes with a better priority',
  },
  'wait-for-better': {
    from: ['waiting'],
    to: 'waiting',
    on: 'better nodes on record',
    sentence: 'Nodes with a better priority go first; leaving the lease to them',
  },
  'wait-for-healthier': {
    from: ['listening', 'watching', 'suspecting', 'fencing', 'waiting'],
    to: 'waiting',
    on: 'nobody leads, not healthy',
    sentence: 'There is no primary; leaving the lease to nodes known to be healthy',
  },
  'pass-succession': {
    from: ['watching', 'suspecting'],
    to: 'waiting',
    on: 'named successor, unhealthy',
    sentence:
      'The primary is handing over to this node, which is unhealthy; leaving the lease to others',
  },
  'wait-free-lease': {
    from: ['watching'],
    to: 'waiting',
    on: 'lease free, no announcement',
    sentence: 'The lease is free but no shutdown was announced; waiting briefly for one',
  },

  'wait-after-release': {
    from: ['watching', 'suspecting'],
    to: 'waiting',
    on: 'released, failed here before',
    sentence: 'The lease was released; this node failed to lead before, so others go first',
  },

  'standby-fell': {
    from: ['watching'],
    to: 'watching',
    on: 'unhealthy',
    sentence: 'This node is unhealthy; it moves to the end of the succession',
  },
  'standby-rose': {
    from: ['watching'],
    to: 'watching',
    on: 'healthy again',
    sentence: 'This node is healthy again',
  },

  // Suspicion and fencing
  'suspect-silence': {
    from: ['watching', 'asking'],
    to: 'suspecting',
    on: 'silence',
    sentence: 'No heartbeat within the timeout; probing the primary',
  },
  'suspect-probe': {
    from: ['watching'],
    to: 'suspecting',
    on: 'background probe failed',
    sentence: 'The primary sends heartbeats but does not answer probes; probing it again',
  },
  'suspect-check': {
    from: ['watching', 'waiting'],
    to: 'suspecting',
    on: 'check requested',
    sentence: 'A check was requested; probing the primary',
  },
  'trust-heartbeat': {
    from: ['watching', 'suspecting', 'waiting'],
    to: 'watching',
    on: 'heartbeat',
    sentence: 'Heartbeats from the primary have resumed',
  },
  'trust-probe': {
    from: ['watching', 'suspecting'],
    to: 'watching',
    on: 'probe answered',
    sentence: 'The primary answered the probe; it is alive',
  },
  'trust-touch': {
    from: ['suspecting'],
    to: 'watching',
    on: 'lock file still touched',
    sentence: 'The primary cannot be reached but still touches its lock file; it is alive',
  },
  'trust-lease': {
    from: ['suspecting'],
    to: 'watching',
    on: 'silent on another machine',
    sentence: 'The lease holder cannot be reached; its lease decides',
  },
  'fence-silent': {
    from: ['suspecting'],
    to: 'fencing',
    on: 'silent on every channel',
    sentence: 'The primary is silent on every channel; fencing it',
  },
  'fence-on-request': {
    from: ['asking'],
    to: 'fencing',
    on: 'forced, no handover',
    sentence: 'The primary did not hand over to a forced promotion; fencing it',
  },
  'wait-after-suspicion': {
    from: ['suspecting'],
    to: 'waiting',
    on: 'may not fence',
    sentence: 'The lease holder is silent but is not fenced',
  },
  'wait-after-fencing': {
    from: ['fencing'],
    to: 'waiting',
    on: 'not fenced',
    sentence: 'The silent primary could not be fenced',
  },
  'wait-for-lease-end': {
    from: ['fencing'],
    to: 'waiting',
    on: 'forced, on another machine',
    sentence: 'The silent primary cannot be fenced from here; waiting for its lease to end',
  },
  'ask-primary': {
    from: ['watching', 'suspecting', 'waiting'],
    to: 'asking',
    on: 'promotion requested',
    sentence: 'Promotion requested; asking the primary to hand over',
  },
  'ask-to-preempt': {
    from: ['watching'],
    to: 'asking',
    on: 'outranks the primary',
    sentence: 'This node outranks the primary; asking it to hand over',
  },
  'asking-refused': {
    from: ['asking'],
    to: 'watching',
    on: 'refused or no answer',
    sentence: 'The primary did not hand over',
  },

  // A candidate
  'lease-granted': {
    from: ['acquiring'],
    to: 'clearing',
    on: 'lease granted',
    sentence: 'Lease granted; cleaning up after the previous run',
  },
  'lease-held-by-other': {
    from: ['acquiring'],
    to: 'watching',
    on: 'lease held by another',
    sentence: 'Another node claimed the lease first; following it',
  },
  'lease-still-held': {
    from: ['acquiring'],
    to: 'suspecting',
    on: 'lease still held',
    sentence: 'The lost primary still holds the lease; probing it',
  },
  'lease-held-unseen': {
    from: ['acquiring'],
    to: 'suspecting',
    on: 'lease held by unknown node',
    sentence: 'The lease is held by an unknown node; looking for the holder',
  },
  'claim-failed': {
    from: ['acquiring'],
    to: 'waiting',
    on: 'claim failed',
    sentence: 'The claim failed; retrying later',
  },
  'wait-for-holders': {
    from: ['acquiring'],
    to: 'waiting',
    on: 'removed lock files still held',
    sentence:
      'Removed lock files of the group are still held; no node starts before their holders exit',
  },
  'leftovers-cleared': {
    from: ['clearing'],
    to: 'starting',
    on: 'cleanup done, armed',
    sentence: 'Cleanup done; starting the workload',
  },
  'run-promote-command': {
    from: ['starting'],
    to: 'promoting',
    on: 'workload ready',
    sentence: 'Ready to lead; running the promote command',
  },
  promoted: {
    from: ['starting', 'promoting'],
    to: 'serving',
    on: 'promotion complete',
    sentence: 'This node is now primary',
  },
  'promotion-failed': {
    from: ['clearing', 'starting', 'promoting'],
    to: 'unwinding',
    on: 'promotion failed',
    sentence: 'Promotion failed; rolling it back',
  },
  'promotion-interrupted': {
    from: ['acquiring', 'clearing', 'starting', 'promoting'],
    to: 'unwinding',
    on: 'stop, SIGTSTP or lease lost',
    sentence: 'Promotion interrupted; rolling it back',
  },
  'promotion-undone': {
    from: ['unwinding'],
    to: 'waiting',
    on: 'lease free again',
    sentence: 'Promotion rolled back; the lease is released',
  },

  // A primary
  'workload-ended': {
    from: ['serving'],
    to: 'restarting',
    on: 'workload ended, restart',
    sentence: 'The workload exited; restarting it on this node',
  },
  restarted: {
    from: ['restarting'],
    to: 'serving',
    on: 'workload running again',
    sentence: 'The workload is running again',
  },
  'workload-fell': {
    from: ['serving'],
    to: 'serving',
    on: 'unhealthy, no remedy',
    sentence:
      'The workload is unhealthy and keeps running; neither a handover nor a restart is possible',
  },
  'workload-rose': {
    from: ['serving'],
    to: 'serving',
    on: 'healthy again',
    sentence: 'The workload is healthy again',
  },
  'restart-unhealthy': {
    from: ['serving'],
    to: 'restarting',
    on: 'unhealthy, nobody is better',
    sentence: 'The workload is unhealthy; restarting it on this node',
  },
  'demote-unhealthy': {
    from: ['serving'],
    to: 'demoting',
    on: 'unhealthy, another is healthy',
    sentence: 'The workload is unhealthy; stepping down for a healthy node',
  },
  'demote-on-request': {
    from: ['serving'],
    to: 'demoting',
    on: 'demotion requested',
    sentence: 'Stepping down on request',
  },
  'demote-on-failure': {
    from: ['serving', 'restarting'],
    to: 'demoting',
    on: 'workload failed',
    sentence: 'The workload cannot be kept running here; stepping down',
  },
  'demote-after-end': {
    from: ['serving'],
    to: 'demoting',
    on: 'workload ended',
    sentence: 'The workload exited and is not restarted; stepping down',
  },
  'demote-on-lease-loss': {
    from: ['serving', 'restarting'],
    to: 'demoting',
    on: 'lease lost',
    sentence: 'The lease was lost; stopping the workload at once',
  },
  'demote-to-stop': {
    from: ['serving', 'restarting'],
    to: 'demoting',
    on: 'stop',
    sentence: 'Stop requested; stepping down',
  },
  'demote-to-suspend': {
    from: ['serving', 'restarting'],
    to: 'demoting',
    on: 'SIGTSTP',
    sentence: 'About to be suspended; stepping down first',
  },
  'demote-completed': {
    from: ['serving', 'restarting'],
    to: 'demoting',
    on: 'workload completed',
    sentence: 'The workload has completed; stopping the group',
  },
  demoted: {
    from: ['demoting'],
    to: 'waiting',
    on: 'lease released',
    sentence: 'Stepped down',
  },

  // The end
  'stop-secondary': {
    from: ['listening', 'watching', 'suspecting', 'fencing', 'waiting', 'asking', 'acquiring'],
    to: 'stopping',
    on: 'stop',
    sentence: 'Stopping',
  },
  'stop-after-promotion': {
    from: ['unwinding'],
    to: 'stopping',
    on: 'lease free again, stop',
    sentence: 'Interrupted promotion rolled back; stopping',
  },
  'stop-after-demotion': {
    from: ['demoting'],
    to: 'stopping',
    on: 'lease released, stop',
    sentence: 'Stepped down; stopping',
  },
  'stop-instead-of-standby': {
    from: ['acquiring'],
    to: 'stopping',
    on: 'denied, may not stand by',
    sentence: 'The lease cannot be acquired and this node may not stand by; stopping',
  },
  stopped: {
    from: ['stopping'],
    to: 'stopped',
    on: 'everything is closed',
    sentence: 'Stopped',
  },
} as const;

export type TransitionId = keyof typeof TRANSITIONS;
