// Faults of nodes that agree on the lease among themselves: two lead, or none.

/**
 * Tests of the election.
 *
 * @param {string} title
 * @returns {import('./mutant.js').TestCheck}
 */
function election(title) {
  return { test: 'test/core/peer-election.test.ts', title };
}

/** @type {readonly import('./mutant.js').Mutant[]} */
export const PEERS = [
  {
    id: 'peers-restart-forgotten',
    says: 'A node that led and was started anew counts as one that does not lead, while its old command may run.',
    breaks: 'S1',
    file: 'src/core/peer-table.ts',
    from: 'earlier.some(({ leadsUntil }) => at < leadsUntil),',
    to: 'earlier.some(({ leadsUntil }) => at < leadsUntil - Infinity),',
    killers: [election('keeps others from leading until what it had may have ended')],
  },
  {
    id: 'peers-give-way-at-once',
    says: 'A primary gives way as soon as its term is over, before its command has ended.',
    breaks: 'S1',
    file: 'src/core/peer-election.ts',
    from: 'holds: settings.untilReleased === true',
    to: 'holds: false',
    killers: [election('gives way to nobody that bids'), election('never is there work of two')],
  },
  {
    id: 'peers-good-bye-doubles',
    says: 'A good-bye of an earlier run makes two of a node that was only started anew.',
    breaks: 'S4',
    file: 'src/core/peer-table.ts',
    from: 'if (before !== undefined && heartbeat.leaving) {',
    to: 'if (before !== undefined && heartbeat.leaving && before.seq < 0) {',
    killers: [election('keeps nobody once somebody has said good-bye for it')],
  },
  {
    id: 'peers-older-term-wins',
    says: 'After a partition the primary with the older epoch may go on instead of the other.',
    breaks: 'S1',
    file: 'src/core/peer-election.ts',
    from: 'return (b.term ?? 0) - (a.term ?? 0);',
    to: 'return 0 * ((b.term ?? 0) - (a.term ?? 0));',
    killers: [election('is the one that goes on after a partition')],
  },
  {
    id: 'peers-own-lease-for-all',
    says: 'A node counts another as gone after its own lease, though that one was told a longer one, and may lead.',
    breaks: 'S1',
    file: 'src/core/peer-table.ts',
    from: 'return Math.max(leaseMs, peer.leaseMs);',
    to: 'return Math.max(leaseMs, 0 * peer.leaseMs);',
    killers: [election('counts one that was told a longer lease for as long')],
  },
  {
    id: 'peers-epoch-off-record',
    says: 'A node leads under an epoch that it could not put on record, and that a restart of all nodes forgets.',
    breaks: 'S2',
    file: 'src/lease/peers/peers-lease.ts',
    from: 'if (epoch !== null) await this.#keep(epoch);',
    to: 'if (epoch !== null) await this.#keep(epoch).catch(() => undefined);',
    killers: [
      {
        test: 'test/lease/slow-disk.test.ts',
        title: 'gives a term among peers up whose epoch can not be put on record',
      },
    ],
  },
  {
    id: 'peers-loopback-is-one',
    says: 'A node takes another of its machine for itself, leaves it out, and both lead.',
    breaks: 'S1',
    file: 'src/config/peer-address.ts',
    from: 'LOCAL_HOSTS.has(host)',
    to: "LOCAL_HOSTS.has(host) || host.startsWith('127.')",
    killers: [
      {
        test: 'test/lease/peers/own-address.test.ts',
        title: 'is not another of this machine',
      },
    ],
  },
];
