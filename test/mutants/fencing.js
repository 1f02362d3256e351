// Faults of fencing and emptying: only what is proved to be left over is signalled, and all of it.

/** @type {readonly import('./mutant.js').Mutant[]} */
export const FENCING = [
  {
    id: 'fenced-under-another-epoch',
    says: 'A fence that comes late ends a primary that was promoted since.',
    breaks: 'S6',
    file: 'src/fence/fence.ts',
    from: 'if (observation.epoch !== target.epoch) {',
    to: 'if (observation.epoch < target.epoch) {',
    killers: [
      { test: 'test/fence/fence.test.ts', title: 'kills nobody once another epoch has come' },
    ],
  },
  {
    id: 'unseen-taken-for-gone',
    says: 'What an earlier run left in another pid namespace is passed over.',
    breaks: 'S1',
    file: 'src/fence/find-leftovers.ts',
    from: 'others: [...others, ...sources.unseenRemains(nodes)]',
    to: 'others: [...others, ...sources.unseenRemains([])]',
    killers: [
      {
        test: 'test/fence/leftovers.test.ts',
        title: 'what runs in another pid namespace is waited for, and named',
      },
    ],
  },
  {
    id: 'fenced-holder-not-compared',
    says: 'Whoever now holds the lease is fenced in place of the one that was judged.',
    breaks: 'S6',
    file: 'src/fence/fence.ts',
    from: 'if (this.#last !== null && !isSameProcess(this.#last.identity, identity)) {',
    to: 'if (this.#last !== null && this.#last.identity.pid < 0) {',
    killers: [
      {
        test: 'test/fence/fence.test.ts',
        title: 'kills nobody who took the lease after the judged one was looked at',
      },
    ],
  },
  {
    id: 'foreign-holder-killed',
    says: 'A process of another program that holds primary.lock is killed.',
    breaks: 'S6',
    file: 'src/fence/fence.ts',
    from: "if (holder.kind === 'foreign') {",
    to: "if (holder.kind === 'foreign' && holder.pid === null) {",
    killers: [
      { test: 'test/fence/fence.test.ts', title: 'names a foreign holder and leaves it alone' },
    ],
  },
  {
    id: 'claiming-candidate-killed',
    says: 'A candidate is killed between its lock and its claim.',
    breaks: 'S6',
    file: 'src/fence/fence.ts',
    from: '    await this.#giveTimeToClaim(target, identity);\n',
    to: '    if (target.epoch < 0) await this.#giveTimeToClaim(target, identity);\n',
    killers: [
      {
        test: 'test/fence/fence.test.ts',
        title: 'spares a candidate that took the lease a moment ago',
      },
    ],
  },
  {
    id: 'stopped-holder-not-spared',
    says: '--fence kill-unless-stopped kills a stopped primary.',
    breaks: 'S6',
    file: 'src/fence/fence.ts',
    from: "if (target.mode === 'kill-unless-stopped' && activityOf(holder.stat) === 'stopped') {",
    to: "if (target.mode === 'kill-unless-stopped' && activityOf(holder.stat) === 'ending') {",
    killers: [
      {
        test: 'test/fence/fence.test.ts',
        title: 'spares a stopped one when asked to, and no other',
      },
    ],
  },
  {
    id: 'hot-stranger-signalled',
    says: 'A hot workload whose end was not heard of is signalled by a number that is another process’s.',
    breaks: 'S6',
    file: 'src/workload/standby.ts',
    from: 'hasKnownStart(identity) && seen.startTime !== identity.startTime',
    to: "hasKnownStart(identity) && seen.startTime === ''",
    killers: [
      {
        test: 'test/workload/standby.test.ts',
        title: 'signals no stranger that has got its number since',
      },
    ],
  },
  {
    id: 'recorded-sessions-ignored',
    says: 'Only holders of the lock are looked for: what npm started lives on, and another starts beside it.',
    breaks: 'S1',
    file: 'src/fence/find-leftovers.ts',
    from: 'return [...own, ...recorded].filter(',
    to: 'return [...own, ...recorded.slice(0, 0)].filter(',
    killers: [
      {
        test: 'test/fence/leftovers.test.ts',
        title: 'a helper that closed the lock descriptor is found though the lock is free',
      },
    ],
  },
  {
    id: 'standby-of-the-dead-left',
    says: 'A hot workload that stood by and ignores SIGTERM outlives the node that was killed.',
    breaks: 'S6',
    file: 'src/fence/standby-orphans.ts',
    from: 'sessions.filter(({ active }) => !active)',
    to: 'sessions.filter(({ keep }) => keep)',
    killers: [
      {
        test: 'test/fence/standby-orphans.test.ts',
        title: 'a member of a session that stood by ends',
      },
    ],
  },
  {
    id: 'active-session-of-the-dead-ended',
    says: 'Whoever looks after killed nodes ends what was active before the elected successor comes to it.',
    breaks: 'S6',
    file: 'src/fence/standby-orphans.ts',
    from: 'sessions.filter(({ active }) => !active)',
    to: 'sessions.filter(({ keep }) => !keep)',
    killers: [
      {
        test: 'test/fence/standby-orphans.test.ts',
        title: 'a member of a session that was active is left to who takes over',
      },
    ],
  },
  {
    id: 'lock-holders-ignored',
    says: 'Only recorded sessions are looked for: what left its session keeps everyone waiting.',
    breaks: 'S4',
    file: 'src/fence/find-leftovers.ts',
    from: 'if (searchHolders && !lockIsFree && targets.length === 0) {',
    to: 'if (searchHolders && lockIsFree && targets.length > 0) {',
    killers: [
      {
        test: 'test/fence/leftovers.test.ts',
        title: 'is ended when its environment names the group',
      },
    ],
  },
  {
    id: 'held-lock-taken-for-free',
    says: 'Nobody waits for what holds the workload lock and can not be seen.',
    breaks: 'S1',
    file: 'src/fence/leftovers.ts',
    from: 'if (found.lockIsFree && found.targets.length === 0 && found.others.length === 0) {',
    to: 'if (found.targets.length === 0 && found.others.length === 0) {',
    killers: [
      { test: 'test/fence/leftovers.test.ts', title: 'is waited for where it can not be seen' },
    ],
  },
  {
    id: 'reused-number-of-session',
    says: 'A session that has the number of a recorded one is ended, whoever leads it.',
    breaks: 'S6',
    file: 'src/fence/session-members.ts',
    from: "if (present !== null) return present.startTime === leader.startTime ? 'same' : 'other';",
    to: "if (present !== null) return 'same';",
    killers: [
      {
        test: 'test/fence/leftovers.test.ts',
        title: 'a pid that another process has now is not signalled',
      },
    ],
  },
  {
    id: 'session-without-leader-over',
    says: 'A session whose first process has ended counts as over: `sh -c "server | tee"` lives on.',
    breaks: 'S1',
    file: 'src/fence/session-members.ts',
    from: "return oldest < soonestReuseTicks() ? 'same' : 'unproved';",
    to: "return oldest < soonestReuseTicks() ? 'other' : 'unproved';",
    killers: [
      {
        test: 'test/fence/leftovers.test.ts',
        title: 'an orphan whose leader has ended is found by its session',
      },
    ],
  },
  {
    id: 'other-boot-not-told-apart',
    says: 'Pids that were recorded before a reboot are signalled.',
    breaks: 'S6',
    file: 'src/fence/process-identity.ts',
    from: 'return identity.bootId === bootId() && identity.pidNamespace === ownPidNamespace();',
    to: 'return identity.pidNamespace === ownPidNamespace();',
    killers: [
      { test: 'test/fence/leftovers.test.ts', title: 'a session of another boot is not signalled' },
    ],
  },
  {
    id: 'foreign-lock-holder-killed',
    says: 'A process of another program that holds workload.lock is ended.',
    breaks: 'S6',
    file: 'src/fence/find-leftovers.ts',
    from: "if (mark === null) return 'holds the workload lock but is not known to belong to this group';",
    to: 'if (mark === null) return null;',
    killers: [
      {
        test: 'test/fence/leftovers.test.ts',
        title: 'is named with its command and left alone when it is a stranger',
      },
    ],
  },
  {
    id: 'workload-of-live-node-ended',
    says: 'The workload of a node that lives is ended as a leftover.',
    breaks: 'S6',
    file: 'src/fence/find-leftovers.ts',
    from: 'if (liveNode !== null) return `active ${session.kind} of node ${liveNode.node}, which is alive`;',
    to: 'if (liveNode?.node === session.kind) return `active ${session.kind}`;',
    killers: [
      {
        test: 'test/fence/leftovers.test.ts',
        title: "another live node's active session is named and not signalled",
      },
    ],
  },
  {
    id: 'kept-orphan-ended',
    says: 'An orphan that is to be kept is ended.',
    breaks: 'S6',
    file: 'src/fence/find-leftovers.ts',
    from: 'if (session.keep && !own) return KEPT;',
    to: 'if (session.keep && own) return KEPT;',
    killers: [
      {
        test: 'test/fence/leftovers.test.ts',
        title: 'an orphan to be kept is named and not signalled',
      },
    ],
  },
  {
    id: 'leftovers-killed-at-once',
    says: 'What an earlier run left is killed without SIGTERM and grace.',
    breaks: 'S6',
    file: 'src/fence/signal-ladder.ts',
    from: 'if (ageMs >= target.graceMs) {',
    to: 'if (ageMs >= 0 * target.graceMs) {',
    killers: [{ test: 'test/fence/leftovers.test.ts', title: 'its session is ended with SIGTERM' }],
  },
  {
    id: 'stopped-leftover-not-continued',
    says: 'A stopped leftover can not act on its SIGTERM.',
    breaks: 'S6',
    file: 'src/fence/signal-ladder.ts',
    from: "if (this.#send(target, 'SIGTERM')) this.#send(target, 'SIGCONT');",
    to: "this.#send(target, 'SIGTERM');",
    killers: [{ test: 'test/fence/leftovers.test.ts', title: 'a stopped process is continued' }],
  },
  {
    id: 'signal-by-pid-alone',
    says: 'A signal goes to whoever has the pid by now.',
    breaks: 'S6',
    file: 'src/fence/signal-ladder.ts',
    from: 'return stat !== null && stat.startTime === target.startTime && !hasEnded(stat);',
    to: 'return stat !== null && !hasEnded(stat);',
    killers: [
      {
        test: 'test/fence/signal-ladder.test.ts',
        title: 'a process that has the pid of one that was found before',
      },
    ],
  },
  {
    id: 'failed-look-taken-for-gone',
    says: 'A process that could not be looked at, for want of descriptors, counts as gone.',
    breaks: 'S1',
    file: 'src/fence/process-identity.ts',
    from: 'if (isOutOfResources(error)) throw error;\n    return 0;\n  }\n  try {',
    to: 'return 0;\n  }\n  try {',
    killers: [
      {
        test: 'test/fence/out-of-resources.test.ts',
        title: 'a process that could not be looked at is not taken for one that is gone',
      },
    ],
  },
  {
    id: 'failed-read-taken-for-gone',
    says: 'A process whose state could not be read, for want of memory, counts as gone.',
    breaks: 'S1',
    file: 'src/fence/process-identity.ts',
    from: 'if (isOutOfResources(error)) throw error;\n    // ESRCH',
    to: '// ESRCH',
    killers: [
      {
        test: 'test/fence/out-of-resources.test.ts',
        title: 'a process whose state could not be read is not taken for one that is gone',
      },
    ],
  },
];
