// Faults of how a node makes sure that no other of a store has its id.

const RIVAL = 'test/lease/sole-node.test.ts';
const JOIN = 'test/lease/join-alone.test.ts';
const REDIS = 'test/contracts/redis.test.ts';
const ETCD = 'test/contracts/etcd.test.ts';
const FILES = 'test/contracts/timed-file.test.ts';

const AT_ONCE = 'is that of one of several that register under it at once';

/** @type {readonly import('./mutant.js').Mutant[]} */
export const IDS = [
  {
    id: 'id-unchecked-in-redis',
    says: 'Redis registers a node under the id of another that is on record.',
    breaks: 'order',
    file: 'src/lease/redis/scripts.ts',
    from: 'if left > 0 and known[i] ~= instead then return',
    to: 'if left > 1e12 then return',
    killers: [{ test: REDIS, title: AT_ONCE }],
  },
  {
    id: 'id-unchecked-in-etcd',
    says: 'etcd registers a node whoever has its id.',
    breaks: 'order',
    file: 'src/lease/etcd/requests.ts',
    from: 'compare: [holder === null ? absent(key) : ofValue(key, holder)],',
    to: 'compare: holder === null ? [] : [ofValue(key, holder)],',
    killers: [{ test: ETCD, title: AT_ONCE }],
  },
  {
    id: 'id-looked-for-and-not-taken-in-files',
    says: 'In shared files a node looks whether its id is free, and of two that do so at once both register.',
    breaks: 'order',
    file: 'src/lease/timed-file/timed-file-driver.ts',
    from: '    if (alone === null) return null;\n    const owner',
    to: '    if (alone === null || alone.instead === null) return null;\n    const owner',
    killers: [{ test: FILES, title: AT_ONCE }],
  },
  {
    id: 'id-taken-from-one-that-signs',
    says: 'A node of another machine counts as gone although it leaves signs of life.',
    breaks: 'order',
    file: 'src/lease/sole-node.ts',
    from: "if (hasSignedSince(first, latest)) return 'taken';",
    to: "if (hasSignedSince(latest, first)) return 'taken';",
    killers: [{ test: RIVAL, title: 'lives if it has left a sign since the first look' }],
  },
  {
    id: 'id-refused-for-a-slow-answer',
    says: 'An answer that took long counts as a sign of life, and a node that was killed keeps its id.',
    breaks: 'S4',
    file: 'src/lease/sole-node.ts',
    from: 'if (latest.askedAt - latest.seenAgoMs',
    to: 'if (latest.answeredAt - latest.seenAgoMs',
    killers: [
      { test: RIVAL, title: 'does not live for an answer that took long, or a clock of whole' },
    ],
  },
  {
    id: 'id-waited-for-though-gone',
    says: 'A node that was killed is watched before its successor starts, though its process is seen to be gone.',
    breaks: 'S4',
    file: 'src/lease/sole-node.ts',
    from: "if (latest.process === 'gone') return 'gone';",
    to: '',
    killers: [
      { test: RIVAL, title: 'is gone if that is: at the first look' },
      { test: JOIN, title: 'replaces at once one whose process is gone' },
    ],
  },
  {
    id: 'claims-while-id-is-contested',
    says: 'A node claims the lease although another has its id by now.',
    breaks: 'order',
    file: 'src/lease/token-lease.ts',
    from: 'if (this.#isContested) return this.#overtaken();',
    to: 'if (this.#isContested && this.#isClosed) return this.#overtaken();',
    killers: [{ test: FILES, title: 'and the first is told if it goes on' }],
  },
  {
    id: 'displaced-node-goes-on',
    says: 'A node that finds its id to be that of another, which lives, goes on all the same.',
    breaks: 'order',
    file: 'src/lease/token-lease.ts',
    from: 'if (mustEnd) this.#options.sole?.onTaken(error);',
    to: 'if (mustEnd && !this.#takesPart) this.#options.sole?.onTaken(error);',
    killers: [{ test: FILES, title: 'and the first is told if it goes on' }],
  },
];
