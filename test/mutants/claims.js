// Faults of a claim: an epoch is exact, above all that anybody knows of, and on the disk.

/** @type {readonly import('./mutant.js').Mutant[]} */
export const CLAIMS = [
  {
    id: 'higher-epoch-unnoticed',
    says: 'A primary does not look whether a higher epoch is on record.',
    breaks: 'S2',
    file: 'src/lease/file/held-lease.ts',
    from: 'if (recorded <= this.epoch) return null;',
    to: 'if (recorded <= this.epoch * Infinity) return null;',
    killers: [
      {
        test: 'test/lease/file/file-lease.test.ts',
        title: 'tells that a higher epoch was recorded',
      },
    ],
  },
  {
    id: 'noted-epoch-not-found',
    says: 'A newcomer begins again at 1 although others know of higher epochs in the removed directory.',
    breaks: 'S2',
    file: 'src/lease/file/foundation.ts',
    from: 'const known = Math.max(\n        floor,\n        noted.epoch,\n        this.memory.recall(),\n        highestEpoch(this.#paths.epochs),\n      );',
    to: 'const known = Math.max(floor, 0 * noted.epoch, highestEpoch(this.#paths.epochs));',
    killers: [
      {
        test: 'test/lease/file/removed-directory.test.ts',
        title:
          'lets no newcomer repeat an epoch that is noted in the file which a stopped node has open',
      },
    ],
  },
  {
    id: 'noted-epoch-not-read',
    says: 'A claim does not read what is noted in the file that it has locked.',
    breaks: 'S2',
    file: 'src/lease/file/file-lease.ts',
    from: 'memory.learn(readLockNote(fd).epoch);',
    to: 'memory.learn(0 * readLockNote(fd).epoch);',
    killers: [
      {
        test: 'test/lease/file/removed-parts.test.ts',
        title:
          'goes by what was noted in the moment before it had the lock, though its record is gone',
      },
    ],
  },
  {
    id: 'epoch-not-noted',
    says: 'A claim is not noted in the file that is locked.',
    breaks: 'S2',
    file: 'src/lease/file/file-lease.ts',
    from: '      writeLockNote(fd, { epoch: claim.epoch, ',
    to: '      if (claim.epoch < 0) writeLockNote(fd, { epoch: claim.epoch, ',
    killers: [
      {
        test: 'test/lease/file/removed-parts.test.ts',
        title: 'lets nobody repeat an epoch whose record alone was removed',
      },
    ],
  },
  {
    id: 'floor-ignored-by-claim',
    says: 'The lease claims the next number on record, whatever the node has seen.',
    breaks: 'S2',
    file: 'src/lease/file/file-lease.ts',
    from: 'floor: Math.max(floor, memory.highest),',
    to: 'floor: Math.max(0 * floor, memory.highest),',
    killers: [{ test: 'test/lease/file/file-lease.test.ts', title: 'claims above the floor' }],
  },
  {
    id: 'next-free-epoch-claimed',
    says: 'One that lost the race for an epoch claims the next free number: two hold the lease.',
    breaks: 'S1',
    file: 'src/lease/file/epoch.ts',
    from: `    if (code === 'EEXIST' || code === 'ENOENT') return { type: 'lost-race' };`,
    to: `    if (code === 'EEXIST') return claimEpoch({ epochs, record, floor: epoch });
    if (code === 'ENOENT') return { type: 'lost-race' };`,
    killers: [
      {
        test: 'test/lease/file/epoch.test.ts',
        title: 'loses to one who claims the same number first, and claims no other in its place',
      },
    ],
  },
  {
    id: 'pruned-epoch-claimed-again',
    says: 'One that looked long ago claims a number that was claimed and pruned since.',
    breaks: 'S2',
    file: 'src/lease/file/epoch.ts',
    from: "if (highestEpoch(epochs) !== epoch) return { type: 'lost-race' };",
    to: "if (highestEpoch(epochs) < epoch) return { type: 'lost-race' };",
    killers: [
      {
        test: 'test/lease/file/epoch.test.ts',
        title: 'is void when a higher number is there after it',
      },
    ],
  },
  {
    id: 'newest-epochs-pruned',
    says: 'The newest epochs are removed in place of the oldest: numbers come again.',
    breaks: 'S2',
    file: 'src/lease/file/epoch.ts',
    from: 'for (const epoch of listEpochs(epochs).slice(Math.max(1, kept))) {',
    to: 'for (const epoch of listEpochs(epochs).reverse().slice(Math.max(1, kept))) {',
    killers: [
      { test: 'test/lease/file/epoch.test.ts', title: 'prunes the oldest, never the newest 16' },
    ],
  },
  {
    id: 'claim-not-durable',
    says: 'A lease is granted before its epoch is on the disk: a power loss takes the number back.',
    breaks: 'S2',
    file: 'src/lease/file/file-lease.ts',
    from: 'const flushed = this.#unlessGivenBack(settleClaim(this.paths.epochs));',
    to: 'const flushed = this.#unlessGivenBack(Promise.race([settleClaim(this.paths.epochs), Promise.resolve()]));',
    killers: [
      {
        test: 'test/lease/file/durable-claim.test.ts',
        title: 'nothing is granted before the claim is durable',
      },
    ],
  },
  {
    id: 'no-room-made-for-claim',
    says: 'A claim fails where the file system has no name left.',
    breaks: 'S4',
    file: 'src/lease/file/epoch.ts',
    from: 'if (!isFull(error) || makeRoom?.() !== true) throw error;',
    to: 'if (!isFull(error) || makeRoom?.() === true) throw error;',
    killers: [{ test: 'test/lease/file/epoch.test.ts', title: 'claims in the room that is made' }],
  },
  {
    id: 'lost-claim-keeps-lock',
    says: 'A claim that lost its race keeps the lock, and nobody leads.',
    breaks: 'S4',
    file: 'src/lease/file/file-lease.ts',
    from: `        this.#held = null;
        await this.#giveBack(lock);
      }`,
    to: `        this.#held = null;
        if (floor < 0) await this.#giveBack(lock);
      }`,
    killers: [
      {
        test: 'test/lease/file/file-lease.test.ts',
        title: 'leaves nothing held when the claim can not be linked',
      },
    ],
  },
  {
    id: 'completed-group-claimed',
    says: 'A node that comes late claims the lease of a group whose work is completed.',
    breaks: 'S1',
    file: 'src/lease/file/file-lease.ts',
    from: "if (isCompletedSince(this.paths, this.#membership.record)) return 'completed';",
    to: "if (isCompletedSince(this.paths, this.#membership.record) && floor < 0) return 'completed';",
    killers: [
      {
        test: 'test/lease/file/file-lease.test.ts',
        title: 'is denied to a node that started before the group completed',
      },
    ],
  },
];
