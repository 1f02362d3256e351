// What a node answers to those who send others to it, or start it again: is it the primary, is it well. Pure.
import type { CoreReport } from '../core/report.ts';

/** Each is a path, and a question with yes or no for an answer. */
export const CHECKS = ['primary', 'secondary', 'health', 'liveness', 'readiness'] as const;

export type Check = (typeof CHECKS)[number];

/** What the answers are made of. */
export type NodeSight = Pick<
  CoreReport,
  | 'id'
  | 'role'
  | 'phase'
  | 'epoch'
  | 'primary'
  | 'health'
  | 'unhealthyBecause'
  | 'willing'
  | 'unwillingBecause'
  | 'reason'
> & {
  /** Whether it still decides when its time has come; left out: that is not asked here. */
  readonly isTurning?: boolean;
};

/** Why there is no node of a group that could be asked. */
export type Absence = 'starting' | 'failed' | 'ended';

/** What is said of a group without a node. */
export const ABSENCES: Readonly<Record<Absence, string>> = {
  starting: 'the node is starting',
  failed: 'the node could not be started, or has failed',
  ended: 'the node has exited',
};

/** Why the answer is no; null: it is yes. */
export function refusalAt(check: Check, sight: NodeSight | Absence): string | null {
  if (typeof sight !== 'string') {
    const hasStopped = sight.isTurning === false && sight.phase !== 'stopped';
    return hasStopped ? `${sight.id} no longer makes decisions` : refusalOf(check, sight);
  }
  // It may wait for a server, or for its id, for as long as it takes: who starts it again makes that longer.
  return check === 'liveness' && sight === 'starting' ? null : ABSENCES[sight];
}

/** Why the answer is no; null: it is yes. */
export function refusalOf(check: Check, node: NodeSight): string | null {
  switch (check) {
    case 'primary':
      return notServing(node);
    case 'secondary':
      return notStandingBy(node) ?? unhealthy(node);
    case 'health':
      return unhealthy(node) ?? (node.phase === 'restarting' ? notServing(node) : null);
    case 'liveness':
      // Who answers is alive: its loop runs, and has not been told to end for good.
      return node.role === 'stopped' ? `${node.id} is ending` : null;
    case 'readiness':
      if (node.role === 'primary') return notServing(node);
      return notStandingBy(node) ?? unhealthy(node) ?? unwilling(node);
  }
}

/** Its workload runs, and was ready: a primary that starts it again or steps down is none for the moment. */
function notServing({ id, role, phase }: NodeSight): string | null {
  if (phase === 'serving') return null;
  return role === 'primary' ? `${id} is primary, and ${phase}` : `${id} is ${role} (${phase})`;
}

/** Before it has looked who leads it may be about to lead itself. */
function notStandingBy({ id, role, phase }: NodeSight): string | null {
  if (role === 'secondary' && phase !== 'listening') return null;
  return `${id} is ${role} (${phase})`;
}

/** What is not checked is not known to be ill. */
function unhealthy({ id, health, unhealthyBecause }: NodeSight): string | null {
  if (health !== 'unhealthy') return null;
  return `${id} is unhealthy${unhealthyBecause === null ? '' : `: ${unhealthyBecause}`}`;
}

function unwilling({ id, willing, unwillingBecause }: NodeSight): string | null {
  return willing ? null : `${id} would not take over: ${String(unwillingBecause)}`;
}
