// Through whom a request has come: what forwards it adds itself, and knows it again.

/** The header, with one word for each. */
export const HOPS_HEADER = 'x-failover-hops';

/** More than the nodes that may disagree for a moment. */
const HOP_LIMIT = 3;

/** With one more; null: it has come through here already, or through too many. */
export function hopsWith(self: string, given: string | null): string | null {
  if (given === null || given === '') return self;
  const hops = given.split(',', HOP_LIMIT + 1);
  if (hops.includes(self) || hops.length >= HOP_LIMIT) return null;
  return [...hops, self].join(',');
}
