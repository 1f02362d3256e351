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
    on: 'another holds the lease, out of hearing',
    sentence: 'Another node holds the lease; following it by its lease alone',
  },
  'claim-at-start': {
    from: ['listening'],
    to: 'acquiring',
    on: 'nobody leads',
    sentence: 'Claiming the lease at the start',
  },
  'claim-on-shutdown': {
    from: ['watching', 'suspecting', 'waiting', 'asking'],
    to: 'acquiring',
    on: 'shutdown announced',
    sentence: 'The primary gave up the lease; claiming it',
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
    sentence: 'The silent primary is fenced; claiming the lease',
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
    sentence: 'Nobody leads; claiming the lease',
  },
  'wait-not-willing': {
    from: ['listening', 'watching', 'suspecting', 'fencing', 'asking', 'waiting'],
    to: 'waiting',
    on: 'nobody leads, not willing',
    sentence: 'Nobody leads, and this node may not claim',
  },
  'wait-for-turn': {
    from: ['watching', 'suspecting'],
    to: 'waiting',
    on: 'loss, others go first',
    sentence: 'The primary is gone; nodes before this one in the succession go first',
  },
  'wait-for-successor': {
    from: ['watching', 'suspecting', 'asking'],
    to: 'waiting',
    on: 'successor named',
    sentence: 'The primary hands over to another node; leaving it the lease',
  },
  'wait-for-peers': {
    from: ['listening', 'watching', 'suspecting', 'waiting'],
    to: 'waiting',
    on: 'nobody leads, by priority',
    sentence: 'Nobody leads; looking for nodes that go before this one',
  },
  'wait-for-better': {
    from: ['waiting'],
    to: 'waiting',
    on: 'better nodes on record',
    sentence: 'Nodes with a lower priority number, or a lower id, go first; leaving them the lease',
  },
  'wait-for-healthier': {
    from: ['listening', 'watching', 'suspecting', 'fencing', 'waiting'],
    to: 'waiting',
    on: 'nobody leads, not healthy',
    sentence: 'Nobody leads; leaving the lease to nodes that are known to be healthy',
  },
  'pass-succession': {
    from: ['watching', 'suspecting'],
    to: 'waiting',
    on: 'named successor, unhealthy',
    sentence:
      'The primary hands over to this node, which is unhealthy; leaving the lease to others',
  },
  'wait-free-lease': {
    from: ['watching'],
    to: 'waiting',
    on: 'lease free, nothing said',
    sentence: 'The lease is free and nothing was announced; waiting a moment for word',
  },

  'wait-after-release': {
    from: ['watching', 'suspecting'],
    to: 'waiting',
    on: 'released, failed here before',
    sentence: 'The lease was released; this node failed before and lets others try first',
  },

  'standby-fell': {
    from: ['watching'],
    to: 'watching',
    on: 'unhealthy',
    sentence: 'This node is unhealthy, and goes last',
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
    sentence: 'The primary sends heartbeats but does not answer; probing it again',
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
    sentence: 'The primary is heard again',
  },
  'trust-probe': {
    from: ['watching', 'suspecting'],
    to: 'watching',
    on: 'probe answered',
    sentence: 'The primary answered the probe; it lives',
  },
  'trust-touch': {
    from: ['suspecting'],
    to: 'watching',
    on: 'lock file still touched',
    sentence: 'The primary cannot be reached, but it touches its lock file; it lives',
  },
  'trust-lease': {
    from: ['suspecting'],
    to: 'watching',
    on: 'silent on another machine',
    sentence: 'The holder of the lease cannot be reached; its lease decides',
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
    sentence: 'The holder of the lease is silent and is not fenced',
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
    sentence: 'The silent primary cannot be fenced from here; waiting for the end of its lease',
  },
  'ask-primary': {
    from: ['watching', 'suspecting', 'waiting'],
    to: 'asking',
    on: 'promotion requested',
    sentence: 'A promotion was requested; asking the primary to hand over',
  },
  'ask-to-preempt': {
    from: ['watching'],
    to: 'asking',
    on: 'better than the primary',
    sentence: 'This node goes before the primary; asking it to hand over',
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
    sentence: 'Holds the lease; emptying what an earlier run left',
  },
  'lease-held-by-other': {
    from: ['acquiring'],
    to: 'watching',
    on: 'lease held by another',
    sentence: 'Another node was first; following it',
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
    on: 'lease held, and not known by whom',
    sentence: 'The lease is not free, and its holder is not known here; looking out for it',
  },
  'claim-failed': {
    from: ['acquiring'],
    to: 'waiting',
    on: 'claim failed',
    sentence: 'The claim failed; trying again later',
  },
  'wait-for-holders': {
    from: ['acquiring'],
    to: 'waiting',
    on: 'removed lock files are held',
    sentence:
      'Lock files of the group were removed and are still held; nobody starts before their holders have ended',
  },
  'leftovers-cleared': {
    from: ['clearing'],
    to: 'starting',
    on: 'nothing is left, armed',
    sentence: 'Nothing of an earlier run is left; starting the workload',
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
    sentence: 'Is primary',
  },
  'promotion-failed': {
    from: ['clearing', 'starting', 'promoting'],
    to: 'unwinding',
    on: 'promotion failed',
    sentence: 'The promotion failed; undoing it',
  },
  'promotion-interrupted': {
    from: ['acquiring', 'clearing', 'starting', 'promoting'],
    to: 'unwinding',
    on: 'stop, SIGTSTP or lease lost',
    sentence: 'The promotion was interrupted; undoing it',
  },
  'promotion-undone': {
    from: ['unwinding'],
    to: 'waiting',
    on: 'lease free again',
    sentence: 'The promotion is undone and the lease is given back',
  },

  // A primary
  'workload-ended': {
    from: ['serving'],
    to: 'restarting',
    on: 'workload ended, restart',
    sentence: 'The workload ended; starting it again here',
  },
  restarted: {
    from: ['restarting'],
    to: 'serving',
    on: 'workload runs again',
    sentence: 'The workload runs again',
  },
  'workload-fell': {
    from: ['serving'],
    to: 'serving',
    on: 'unhealthy, nothing helps',
    sentence: 'The workload does not serve, and goes on',
  },
  'workload-rose': {
    from: ['serving'],
    to: 'serving',
    on: 'healthy again',
    sentence: 'The workload serves again',
  },
  'restart-unhealthy': {
    from: ['serving'],
    to: 'restarting',
    on: 'unhealthy, nobody is better',
    sentence: 'The workload does not serve; ending it to start it again here',
  },
  'demote-unhealthy': {
    from: ['serving'],
    to: 'demoting',
    on: 'unhealthy, another is healthy',
    sentence: 'The workload does not serve; stepping down for a healthy node',
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
    sentence: 'The workload has ended and is not started again; stepping down',
  },
  'demote-on-lease-loss': {
    from: ['serving', 'restarting'],
    to: 'demoting',
    on: 'lease lost',
    sentence: 'The lease is lost; stopping the workload at once',
  },
  'demote-to-stop': {
    from: ['serving', 'restarting'],
    to: 'demoting',
    on: 'stop',
    sentence: 'Told to stop; stepping down',
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
    sentence: 'The workload has completed; the group ends',
  },
  demoted: {
    from: ['demoting'],
    to: 'waiting',
    on: 'lease released',
    sentence: 'Has stepped down',
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
    sentence: 'The interrupted promotion is undone; stopping',
  },
  'stop-after-demotion': {
    from: ['demoting'],
    to: 'stopping',
    on: 'lease released, stop',
    sentence: 'Has stepped down; stopping',
  },
  'stop-instead-of-standby': {
    from: ['acquiring'],
    to: 'stopping',
    on: 'denied, must lead or is done',
    sentence: 'The lease is not to be had and this node does not stand by; stopping',
  },
  stopped: {
    from: ['stopping'],
    to: 'stopped',
    on: 'everything is closed',
    sentence: 'Stopped',
  },
} as const;

export type TransitionId = keyof typeof TRANSITIONS;
