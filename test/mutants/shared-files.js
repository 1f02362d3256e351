// Faults of the lease in files that machines share: when it is over, and whose turn it is then.

const SIGHT = 'test/lease/timed-file/sight.test.ts';
const TURNS = 'test/lease/timed-file/take-turn.test.ts';
const LEASE = 'test/lease/timed-file/timed-file-lease.test.ts';

/** @type {readonly import('./mutant.js').Mutant[]} */
export const SHARED_FILES = [
  {
    id: 'shared-lease-from-begin-of-look',
    says: 'A lease that was renewed during a look is over by as much too early.',
    breaks: 'S3',
    file: 'src/lease/timed-file/sight.ts',
    from: 'this.#sinceMs = endedAt;',
    to: 'this.#sinceMs = Math.min(beganAt, endedAt);',
    killers: [{ test: SIGHT, title: 'counts from the end of the look that saw it change' }],
  },
  {
    id: 'shared-lease-to-end-of-look',
    says: 'A lease is over by the end of a look that began while it was held.',
    breaks: 'S3',
    file: 'src/lease/timed-file/sight.ts',
    from: 'return Math.max(0, this.#sinceMs + ttlMs - beganAt);',
    to: 'return Math.max(0, this.#sinceMs + ttlMs - Math.max(beganAt, endedAt));',
    killers: [{ test: SIGHT, title: 'counts from the end of the look that saw it change' }],
  },
  {
    id: 'shared-lease-by-own-time',
    says: 'A node judges the lease of another by its own time to live, which may be shorter.',
    breaks: 'S3',
    file: 'src/lease/timed-file/lease-view.ts',
    from: 'const ttlMs = top.turn?.ttlMs ?? Math.max(this.#parts.ttlMs, this.#seenTtlMs);',
    to: 'const { ttlMs } = this.#parts;',
    killers: [{ test: LEASE, title: 'is that of its holder, by the clock of each that looks' }],
  },
  {
    id: 'shared-lease-time-forgotten',
    says: 'Where files were removed a node waits for its own time to live, and not for that of the holder it saw.',
    breaks: 'S3',
    file: 'src/lease/timed-file/lease-view.ts',
    from: 'Math.max(this.#parts.ttlMs, this.#seenTtlMs)',
    to: 'this.#parts.ttlMs',
    killers: [
      { test: LEASE, title: 'is as long as it was seen to be where its files are removed' },
    ],
  },
  {
    id: 'shared-lease-free-when-lost',
    says: 'The lease is taken at once where its files were removed, while their holder still runs.',
    breaks: 'S3',
    file: 'src/lease/timed-file/lease-view.ts',
    from: 'const leftMs = isGivenBack ? 0 : unfreeMs;',
    to: 'const leftMs = isGivenBack || top.turn === null ? 0 : unfreeMs;',
    killers: [{ test: LEASE, title: 'has to pass once where nothing is known' }],
  },
  {
    id: 'shared-lease-renewed-late',
    says: 'A renewal counts that was done when the lease was over, and another about to take it.',
    breaks: 'S3',
    file: 'src/lease/timed-file/timed-file-driver.ts',
    from: 'if (!isLast || this.#current(token) === null) return false;',
    to: 'if (!isLast) return false;',
    killers: [{ test: LEASE, title: 'is not gone on with by a renewal that was done too late' }],
  },
  {
    id: 'turn-of-long-ago',
    says: 'Who stood still in the middle of a claim takes a turn whose number was free again.',
    breaks: 'S1',
    file: 'src/lease/timed-file/take-turn.ts',
    from: 'return (await lastTurnIn(paths.turns)) === number;',
    to: 'return ((await lastTurnIn(paths.turns)) ?? 0) >= number;',
    killers: [{ test: TURNS, title: 'is not taken by one that saw long ago that it was next' }],
  },
  {
    id: 'unmounted-share-accepted',
    says: 'A node goes on in the directory that shows where its share was mounted.',
    breaks: 'S1',
    file: 'src/lease/timed-file/place.ts',
    from: '} else if (found !== this.#mark) {',
    to: '} else if (found !== this.#mark && found !== null) {',
    killers: [{ test: LEASE, title: 'is another one while its share is away' }],
  },
];
