// What stands in the way of a role, as far as one look at the group tells: a longer wait would not change it.
import { hintElsewhere, livingNodes, startCommand } from './client.ts';
import type { GroupSnapshot } from './client.ts';

/** The role that somebody waits for or asks for; `node` null: of any node. */
export interface WantedRole {
  readonly role: 'primary' | 'secondary';
  readonly node: string | null;
}

export interface Obstacle {
  /** Goes on after a colon. */
  readonly fact: string;
  readonly hint: string;
}

/** Null: none that is known. */
export function obstacleOf(snapshot: GroupSnapshot, { role, node }: WantedRole): Obstacle | null {
  const { group, observation } = snapshot;
  const living = livingNodes(snapshot);
  if (living.length === 0) {
    const hint = `Start one with ${startCommand(snapshot)}.`;
    return { fact: 'no node is running', hint, ...hintElsewhere(snapshot) };
  }
  if (node !== null && !living.some(({ record }) => record.node === node)) {
    const hint = `Run \`failover status --group ${group}\` to list the nodes.`;
    return { fact: `no node ${node} is running`, hint };
  }
  if (observation.paused && role === 'primary') {
    return {
      fact: 'the group is paused, so no node takes over automatically',
      hint:
        `Run \`failover resume --group ${group}\`, ` +
        `or \`failover promote --group ${group}\` to choose one.`,
    };
  }
  return null;
}
