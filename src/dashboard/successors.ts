// Who leads next, and what of a group this machine does not reach.
import type { GroupView } from './wire.ts';

/** Of other machines their order is not known here: each may be. Null: nobody stands by. */
export function nextOf({
  succession,
  nodes,
}: Pick<GroupView, 'succession' | 'nodes'>): string | null {
  const [next] = succession;
  if (next !== undefined) return next;
  const away = nodes.filter(({ role, state }) => role === 'secondary' && state === 'elsewhere');
  return away.length === 0 ? null : `${away.map(({ id }) => id).join(' or ')}, elsewhere`;
}

/** Whether only the server of the lease tells of a node: it runs on another machine, or may. */
export function isElsewhere({ nodes }: Pick<GroupView, 'nodes'>, id: string): boolean {
  return nodes.some((node) => node.id === id && node.state === 'elsewhere');
}
