// What a process with nodes of several groups answers of all of them. Pure.
import { refusalAt } from './node-checks.ts';
import type { Absence, Check, NodeSight } from './node-checks.ts';

/** Of these the answer is one of a single group: nobody is sent to a process for the group that it leads. */
export const CHECKS_OF_ONE: readonly Check[] = ['primary', 'secondary'];

/** These have an answer for all groups together. */
export const CHECKS_OF_ALL = ['health', 'liveness', 'readiness'] as const;

export type CheckOfAll = (typeof CHECKS_OF_ALL)[number];

/** Of a group each. */
interface Refusal {
  readonly group: string;
  readonly reason: string;
}

export interface ProcessAnswer {
  readonly v: 1;
  readonly ok: boolean;
  readonly check: CheckOfAll;
  /** How many there are, and of how many the answer is no. */
  readonly groups: number;
  readonly refusing: number;
  /** The first of those. */
  readonly refusals: readonly Refusal[];
  readonly reason: string;
}

export interface ProcessSight {
  readonly isEnding: boolean;
  /** Of each group. */
  readonly sights: Iterable<readonly [group: string, sight: NodeSight | Absence]>;
}

/**
 * Yes, where each group says yes; one that has ended in order, as it was told to, is not asked. Of the process as a
 * whole it is no only where a node decides nothing any more: what one group lacks is no reason to start all again.
 */
export function processAnswer(
  check: CheckOfAll,
  { isEnding, sights }: ProcessSight,
): ProcessAnswer {
  const asked = [...sights].filter(([, sight]) => sight !== 'ended');
  const refusing = asked.flatMap(([group, sight]): Refusal[] => {
    const reason = check === 'liveness' ? stillness(sight) : refusalAt(check, sight);
    return reason === null ? [] : [{ group, reason }];
  });
  const ok = !isEnding && refusing.length === 0;
  return {
    ...{ v: 1, ok, check, groups: asked.length, refusing: refusing.length },
    refusals: refusing.slice(0, NAMED),
    reason: isEnding ? 'the process is shutting down' : reasonOf(asked.length, refusing),
  };
}

/** One that has stopped has nothing to decide any more. */
function stillness(sight: NodeSight | Absence): string | null {
  if (typeof sight === 'string' || sight.isTurning !== false) return null;
  return sight.phase === 'stopped' ? null : `${sight.id} no longer makes decisions`;
}

function reasonOf(count: number, refusing: readonly Refusal[]): string {
  const [first] = refusing;
  if (first === undefined) return `yes for ${groupsOf(count)}`;
  return `no for ${String(refusing.length)} of ${groupsOf(count)}; ${first.group}: ${first.reason}`;
}

function groupsOf(count: number): string {
  return count === 1 ? '1 group' : `${String(count)} groups`;
}

/** The most that one answer names. */
const NAMED = 20;
