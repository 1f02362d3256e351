// Who leads and why, or why nobody does: the one sentence that `failover explain` begins with.
import { advised } from './advised.ts';
import type { GroupSnapshot, SeenNode } from './client.ts';
import { leaseHolder, livingNodes, primaryOf, startCommand } from './client.ts';
import { uncapitalized } from './say.ts';
import { holderElsewhere, unknownBecause } from './store-sight.ts';
import { absenceWarnings, warningsOf } from './warnings.ts';

export function groupAnswerOf(snapshot: GroupSnapshot): string {
  return advised(answerOf(snapshot), snapshot);
}

function answerOf(snapshot: GroupSnapshot): string {
  const unknown = unknownBecause(snapshot);
  if (unknown !== null) return `The primary is not known here. ${unknown}.`;
  const [absence] = absenceWarnings(snapshot);
  if (absence !== undefined) return absence;
  const primary = primaryOf(snapshot);
  if (primary !== null) return primaryAnswer(primary, snapshot) + pauseAnswer(snapshot);
  const away = holderElsewhere(snapshot);
  if (away !== null) {
    const { epoch } = snapshot.observation;
    const answer = `${away.node} on ${away.host} is primary at epoch ${epoch}.`;
    return answer + pauseAnswer(snapshot);
  }
  const holder = leaseHolder(snapshot);
  if (holder?.status?.role === 'candidate') {
    return `${holder.record.node} is taking over: ${uncapitalized(holder.status.reason)}.`;
  }
  // The gravest that status tells comes first, and of a lease that nobody leads with it is the cause.
  const [warning] = snapshot.observation.held ? warningsOf(snapshot) : [];
  if (warning !== undefined) return `No node has taken over. ${warning}`;
  return `No node has taken over: ${whyNobody(snapshot)}`;
}

function pauseAnswer({ observation, pause }: GroupSnapshot): string {
  if (!observation.paused) return '';
  return ` The group is paused${pausedBy(pause)}: no node would take over automatically.`;
}

function pausedBy(pause: GroupSnapshot['pause']): string {
  const by = pause?.by ?? null;
  return by === null ? '' : ` by ${by}`;
}

function primaryAnswer({ record, status, silence }: SeenNode, snapshot: GroupSnapshot): string {
  const { epoch } = snapshot.observation;
  const { node } = record;
  if (status === null) {
    const why = silence ?? 'it says nothing';
    return `${node} holds the lease of epoch ${epoch}, so no other node can lead, but does not answer: ${why}.`;
  }
  if (status.phase === 'serving') return `${node} is primary at epoch ${epoch}.`;
  return `${node} is primary at epoch ${epoch}, and ${status.phase}: ${uncapitalized(status.reason)}.`;
}

function whyNobody(snapshot: GroupSnapshot): string {
  const { group, observation, pause } = snapshot;
  const living = livingNodes(snapshot);
  if (living.length === 0) {
    return `no node of the group is running. Start one with ${startCommand(snapshot)}.`;
  }
  if (observation.paused) {
    return (
      `the group is paused${pausedBy(pause)}. ` +
      `Run \`failover resume --group ${group}\`, or \`failover promote --group ${group}\`.`
    );
  }
  const willing = living.filter(({ status }) => status?.willing === true);
  if (willing.length > 0) {
    const waits = willing.map(({ record, status }) => `${record.node} is ${status?.phase ?? ''}`);
    return `${waits.join(', ')}; see below for what they wait for.`;
  }
  const reasons = living.map(
    ({ record, status, silence }) =>
      `${record.node}: ${status?.unwillingBecause ?? silence ?? 'it does not say why'}`,
  );
  return `no live node may. ${reasons.join('; ')}.`;
}
