// `failover up` as a service: what its manager is told of all its groups together.
import type { Role } from '../../core/state.ts';
import type { Service } from '../service.ts';
import type { Fleet } from './fleet.ts';

/** What is looked at of the groups. */
export type ToldGroups = Pick<
  Fleet,
  'begun' | 'ended' | 'isEnding' | 'isTurning' | 'notRunning' | 'roles'
>;

/** With a thousand groups each of their changes would be a message; one that has been there for less is not told. */
const LOOK_MS = 1_000;

/** The most that a status names. */
const NAMED = 5;

/** Tells it: ready once each group takes part, or could not be started; then how many lead, as that changes. */
export function tellOfGroups(service: Service, fleet: ToldGroups): void {
  let told: string | null = null;
  let isOver = false;
  const look = setInterval(() => {
    const status = statusOf(fleet);
    // Before it is ready nothing is told of it but its end.
    if (status === told || (told === null && !fleet.isEnding)) return;
    told = status;
    if (fleet.isEnding) service.tellStop(status);
    else service.tellStatus(status);
  }, LOOK_MS).unref();
  void fleet.begun.then(() => {
    // An end is the last word.
    if (isOver || fleet.isEnding) return;
    told = statusOf(fleet);
    service.tellReady(told, fleet);
  });
  void fleet.ended.then(() => {
    isOver = true;
    clearInterval(look);
    service.tellStop('all groups have ended');
  });
}

function statusOf({ isEnding, notRunning, roles }: ToldGroups): string {
  const counts = new Map<Role, number>();
  for (const role of roles) counts.set(role, (counts.get(role) ?? 0) + 1);
  const parts = ROLES.flatMap((role) => {
    const count = counts.get(role) ?? 0;
    return count === 0 ? [] : [`${role} of ${String(count)}`];
  });
  const more = notRunning.length - NAMED;
  const named = `${notRunning.slice(0, NAMED).join(', ')}${more > 0 ? ` and ${String(more)} more` : ''}`;
  const missing = notRunning.length === 0 ? [] : [`not running: ${named}`];
  const groups = `${String(roles.length)} ${roles.length === 1 ? 'group' : 'groups'}`;
  return [`${isEnding ? 'ending ' : ''}${groups}`, ...parts, ...missing].join(', ');
}

const ROLES = ['primary', 'candidate', 'secondary'] as const;
