// Faults of messages, answers, and the order in which effects are performed.

/** @type {readonly import('./mutant.js').Mutant[]} */
export const TALKING = [
  {
    id: 'late-answer-accepted',
    says: 'The answer to an order counts although another order was given since.',
    breaks: 'S1',
    file: 'src/runtime/perform.ts',
    from: 'if (isNewest()) dispatch(event);',
    to: 'if (isNewest() || kind.length > 0) dispatch(event);',
    killers: [{ test: 'test/runtime/perform.test.ts', title: 'an answer does not count for' }],
  },
  {
    id: 'started-without-look-at-lease',
    says: 'A workload is started without a look whether the lease is still held.',
    breaks: 'S1',
    file: 'src/runtime/perform.ts',
    from: "case 'activate-workload':\n      if (!isHeld(context)) return;",
    to: "case 'activate-workload':\n      if (!isHeld(context) && effect.epoch < 0) return;",
    killers: [
      { test: 'test/runtime/perform.test.ts', title: 'is not begun when the lease is found lost' },
    ],
  },
  {
    id: 'hook-without-look-at-lease',
    says: 'A hook is run without a look whether the lease is still held.',
    breaks: 'S1',
    file: 'src/runtime/perform.ts',
    from: "case 'run-hook':\n      if (!isHeld(context)) return;",
    to: "case 'run-hook':\n      if (!isHeld(context) && effect.epoch < 0) return;",
    killers: [
      { test: 'test/runtime/perform.test.ts', title: 'is not begun when the lease is found lost' },
    ],
  },
  {
    id: 'sequence-across-runs',
    says: 'A node that was restarted is not heard: its sequence numbers start again and count as replays.',
    breaks: 'S4',
    file: 'src/transport/group-bus.ts',
    from: '} else if (message.seq <= (this.#lastSeq.get(message.run) ?? 0)) {',
    to: '} else if (message.seq <= Math.max(0, ...this.#lastSeq.values())) {',
    killers: [
      { test: 'test/transport/group-bus.test.ts', title: 'hears a node that was started again' },
    ],
  },
  {
    id: 'replay-accepted',
    says: 'A message that was heard before is heard again.',
    breaks: 'S4',
    file: 'src/transport/group-bus.ts',
    from: '} else if (message.seq <= (this.#lastSeq.get(message.run) ?? 0)) {',
    to: '} else if (message.seq <= 0 * (this.#lastSeq.get(message.run) ?? 0)) {',
    killers: [
      {
        test: 'test/transport/group-bus.test.ts',
        title: 'drops a replay also after it followed another node',
      },
    ],
  },
  {
    id: 'any-sender-delivered',
    says: 'Messages of nodes that are not followed are delivered.',
    breaks: 'S4',
    file: 'src/transport/group-bus.ts',
    from: 'if (message.run !== holder?.run || message.node !== holder.node) {',
    to: 'if (holder === null) {',
    killers: [
      { test: 'test/transport/group-bus.test.ts', title: 'counts every kind of bad message' },
    ],
  },
  {
    id: 'removed-socket-unnoticed',
    says: 'A primary whose socket directory was removed never binds anew.',
    breaks: 'S4',
    file: 'src/transport/bus.ts',
    from: "if (this.#closed || this.#bound.slice(-2).every(isStillOurs)) return { type: 'intact' };",
    to: "if (this.#closed || this.#bound.some(isStillOurs) || this.#bound.length > 0) return { type: 'intact' };",
    killers: [
      { test: 'test/transport/bus.test.ts', title: 'binds anew when the directory was removed' },
    ],
  },
  {
    id: 'socket-path-stolen',
    says: 'A node takes the socket path of another one.',
    breaks: 'S6',
    file: 'src/transport/bus.ts',
    from: "if (existsAt(path)) throw new Error('the path exists');",
    to: "if (existsAt(path) && path === '') throw new Error('the path exists');",
    killers: [{ test: 'test/transport/bus.test.ts', title: 'refuses an address that is taken' }],
  },
];
