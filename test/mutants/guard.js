// Faults of the guard: what ends a workload when its lease ends, whoever still lives.

/** @type {readonly import('./mutant.js').Mutant[]} */
export const GUARD = [
  {
    id: 'gate-opened-after-deadline',
    says: 'The guard starts a workload whose deadline has passed.',
    breaks: 'S3',
    file: 'src/guard/deadline-watch.ts',
    from: 'return !this.isOver() && (!isActive || this.#at < Infinity);',
    to: 'return !isActive || this.#at < Infinity;',
    killers: [
      {
        test: 'test/guard/deadline-watch.test.ts',
        title: 'allows no start from the deadline on, before anything was told of it',
      },
    ],
  },
  {
    id: 'gate-opened-without-deadline',
    says: 'The guard starts a workload without a term.',
    breaks: 'S3',
    file: 'src/guard/deadline-watch.ts',
    from: 'return !this.isOver() && (!isActive || this.#at < Infinity);',
    to: 'return !this.isOver() || (isActive && this.#at === Infinity);',
    killers: [
      {
        test: 'test/guard/deadline-watch.test.ts',
        title: 'allows without a deadline only what does not lead',
      },
    ],
  },
  {
    id: 'start-not-asked-for',
    says: 'The guard opens a gate without a look at its deadline.',
    breaks: 'S3',
    file: 'src/guard/main.ts',
    from: 'if (this.#deadline.allowsStart(isActive)) {',
    to: 'if (this.#deadline.allowsStart(isActive) || text !== null) {',
    killers: [
      {
        test: 'test/process/guard.test.ts',
        title: 'lets nothing lead without a deadline, and what stands by run without one',
      },
    ],
  },
  {
    id: 'deadline-ignored',
    says: 'The guard lets a workload run on after the deadline.',
    breaks: 'S3',
    file: 'src/guard/deadline-watch.ts',
    from: 'return this.#clock.now() >= this.#at;',
    to: 'return this.#at < 0 && this.#clock.now() >= this.#at;',
    killers: [
      {
        test: 'test/process/guard.test.ts',
        title: 'ends what runs at the deadline, and gives the lease back when it is gone',
      },
    ],
  },
  {
    id: 'deadline-without-timer',
    says: 'The guard notices its deadline only when it happens to look.',
    breaks: 'S3',
    file: 'src/guard/deadline-watch.ts',
    from: 'this.#clock.wakeAt(this.#at, this.#wakeInTime)',
    to: 'this.#clock.wakeAt(Infinity, this.#wakeInTime)',
    killers: [
      {
        test: 'test/guard/deadline-watch.test.ts',
        title: 'tells at once, and not with the next look',
      },
    ],
  },
  {
    id: 'deadline-without-look',
    says: 'The guard of a machine that stood still notices its deadline by as much later.',
    breaks: 'S3',
    file: 'src/guard/deadline-watch.ts',
    from: 'setInterval(this.#tell, this.#lookMs)',
    to: 'setInterval(() => undefined, this.#lookMs)',
    killers: [
      {
        test: 'test/guard/deadline-watch.test.ts',
        title: 'finds what a timer that stood still missed',
      },
    ],
  },
  {
    id: 'deadline-needs-a-look',
    says: 'The guard ends nothing at the deadline before it has looked who is there.',
    breaks: 'S3',
    file: 'src/guard/gated-child.ts',
    from: "process.kill(-child.pid, 'SIGKILL');",
    to: 'process.kill(-child.pid, 0);',
    killers: [
      {
        test: 'test/process/guard.test.ts',
        title: 'ends its child at the deadline also where it can open nothing',
      },
    ],
  },
  {
    id: 'workload-outlives-guard',
    says: 'A workload goes on when its guard is killed.',
    breaks: 'S3',
    file: 'src/guard/gated-child.ts',
    from: "deathSignal: deathSignal ? ('KILL' as const) : null };",
    to: "deathSignal: deathSignal && command.length > 99 ? ('KILL' as const) : null };",
    killers: [
      {
        test: 'test/process/guard.test.ts',
        title: 'that is killed at once with its backstop takes its child with it',
      },
    ],
  },
  {
    id: 'silent-guard-trusted',
    says: 'A node leads on while its guard stands still.',
    breaks: 'S3',
    file: 'src/guard/keeper.ts',
    from: 'guarded.silentForMs(now()) > patienceMs',
    to: 'guarded.silentForMs(now()) > patienceMs * 1e6',
    killers: [
      {
        test: 'test/process/guard.test.ts',
        title: 'that stands still is noticed at the next but one deadline',
      },
    ],
  },
  {
    id: 'lease-of-next-term-given-back',
    says: 'The guard ends what runs, and gives a lease back, of a term that is over.',
    breaks: 'S4',
    file: 'src/guard/main.ts',
    from: "      case 'rest':\n        this.#deadline.clear();\n",
    to: "      case 'rest':\n",
    killers: [
      {
        test: 'test/process/guard.test.ts',
        title: 'leaves what runs alone when there is no term any more',
      },
    ],
  },
  {
    id: 'no-backstop',
    says: 'What a workload has started goes on when its guard is killed.',
    breaks: 'S3',
    file: 'src/guard/main.ts',
    from: 'isOver ? sessions.filter((each) => each !== this.#own) : sessions',
    to: 'isOver ? sessions.filter((each) => each !== this.#own) : []',
    killers: [
      {
        test: 'test/process/guard.test.ts',
        title: 'that is killed takes with it all that its child has started in the session',
      },
    ],
  },
  {
    id: 'backstop-not-replaced',
    says: 'A guard whose backstop was ended goes on without one.',
    breaks: 'S3',
    file: 'src/guard/backstop.ts',
    from: 'if (this.#shell === null) this.#start();\n    }, PAUSE_MS);',
    to: 'if (this.#shell === null && this.#isDismissed) this.#start();\n    }, PAUSE_MS);',
    killers: [
      {
        test: 'test/process/guard.test.ts',
        title: 'has another backstop when its own was ended',
      },
    ],
  },
  {
    id: 'backstop-keeps-sessions',
    says: 'A killed guard ends sessions that were over long before.',
    breaks: 'S6',
    file: 'src/guard/backstop.ts',
    from: 'do watched=$line; done',
    to: 'do watched="$watched $line"; done',
    killers: [
      {
        test: 'test/process/guard.test.ts',
        title: 'that is killed leaves alone what it watches over no more',
      },
    ],
  },
  {
    id: 'active-guard-dismissed',
    says: 'A guard that was started ahead ends its workload once its place is left.',
    breaks: 'S4',
    file: 'src/guard/keeper.ts',
    from: 'if (this.#ahead.has(guarded)) guarded.dismiss();',
    to: 'guarded.dismiss();',
    killers: [
      {
        test: 'test/process/guard.test.ts',
        title: 'that was started ahead starts what it is told, once, and watches over it',
      },
    ],
  },
  {
    id: 'ahead-left-behind',
    says: 'A guard that was started ahead is not ended with its node.',
    breaks: 'S6',
    file: 'src/guard/keeper.ts',
    from: `      guarded.dismiss();
      gone();`,
    to: '      gone();',
    killers: [
      {
        test: 'test/process/guard.test.ts',
        title: 'that was started ahead ends when it is not needed, or with what has started it',
      },
    ],
  },
  {
    id: 'left-session-outlives-guard',
    says: 'The guard gives the lease back while what has left the session of the workload goes on.',
    breaks: 'S3',
    file: 'src/guard/main.ts',
    from: 'if (this.#helpers === null || this.#isSecond) return true;',
    to: 'if (this.#helpers === null || this.#isSecond || graceMs >= 0) return true;',
    killers: [
      {
        test: 'test/process/guard.test.ts',
        title: 'ends what has left its session with the lock before it gives the lease back',
      },
    ],
  },
  {
    id: 'doubted-session-passed-over',
    says: 'The guard gives the lease back beside a session of which nobody can tell whose it is.',
    breaks: 'S3',
    file: 'src/guard/main.ts',
    from: 'isProved = areEmpty(this.#sessions());',
    to: 'isProved = areEmpty([]);',
    killers: [
      {
        test: 'test/process/guard-sessions.test.ts',
        title: 'ends who may be a stranger by no signal, and leaves the lease to its end for him',
      },
    ],
  },
  {
    id: 'told-sight-ignored',
    says: 'A new guard does not know who was seen in a session before it began, and lets him go on.',
    breaks: 'S3',
    file: 'src/guard/in-sight.ts',
    from: 'if (sight !== undefined) adoptSight(known, sight);',
    to: 'if (sight !== undefined && starter === null) adoptSight(known, sight);',
    killers: [
      {
        test: 'test/process/guard-sessions.test.ts',
        title: 'ends who was seen by its supervisor, and then gives the lease back',
      },
    ],
  },
  {
    id: 'environment-proves-nothing',
    says: 'Of a session without its first process only what its start proves is ended.',
    breaks: 'S3',
    file: 'src/fence/own-sessions.ts',
    from: 'members.some((member) => isStartedBy(member, starter))',
    to: 'members.every((member) => member.pid < 0 && isStartedBy(member, starter))',
    killers: [
      {
        test: 'test/workload/living-members.test.ts',
        title: 'by its environment, however long ago it was looked at',
      },
    ],
  },
  {
    id: 'ended-guard-dismissed-early',
    says: 'The guard that knows what an ended command has left ends as soon as the next one begins.',
    breaks: 'S3',
    file: 'src/guard/keeper.ts',
    from: 'this.#dismissEnded((ended) => !this.#isOnRecord(ended));',
    to: 'this.#dismissEnded((ended) => ended !== guarded);',
    killers: [
      {
        test: 'test/process/guard.test.ts',
        title: 'whose process has left something on record goes on beside the next',
      },
    ],
  },
  {
    id: 'late-end-taken-for-fresh',
    says: 'A session is taken for one that ended just now whenever its end was heard of.',
    breaks: 'S6',
    file: 'src/workload/session-book.ts',
    from: 'if (atMs !== null) noteSession(entry.record, atMs);',
    to: 'if (atMs !== null) noteSession(entry.record);',
    killers: [
      {
        test: 'test/workload/session-book.test.ts',
        title: 'that hears of an end late knows nothing of the session since',
      },
    ],
  },
  {
    id: 'silent-guard-left-behind',
    says: 'A guard that does not start what it is told may do so when it goes on.',
    breaks: 'S6',
    file: 'src/guard/guarded-process.ts',
    from: "      this.#guard.kill('SIGKILL');",
    to: "      this.#guard.kill('SIGTERM');",
    killers: [
      {
        test: 'test/process/guard.test.ts',
        title: 'that stands still before it has started anything is given up',
      },
    ],
  },
  {
    id: 'every-guard-demotes',
    says: 'Each guard of a node whose supervisor was killed runs the demote command.',
    breaks: 'order',
    file: 'src/guard/keeper.ts',
    from: 'const isSecond = this.#demotion !== null && guarded !== first;',
    to: 'const isSecond = this.#demotion !== null && guarded === null && guarded !== first;',
    killers: [
      {
        test: 'test/process/guard-demotion.test.ts',
        title: 'is demoted once also in the middle of its promotion',
      },
    ],
  },
  {
    id: 'begun-demotion-repeated',
    says: 'A guard runs the demote command that its supervisor had begun to run.',
    breaks: 'order',
    file: 'src/workload/supervised-workload.ts',
    from: "if (hook === 'demote') this.options.noteDemotion?.(null);",
    to: "if (hook === 'promote') this.options.noteDemotion?.(null);",
    killers: [
      {
        test: 'test/process/guard-demotion.test.ts',
        title: 'is not demoted again when that had begun',
      },
    ],
  },
  {
    id: 'demoted-after-its-term',
    says: 'A guard runs the demote command of a killed supervisor though its lease has ended before.',
    breaks: 'order',
    file: 'src/guard/main.ts',
    from: 'if (untilMs <= 0 || untilMs === Infinity || this.#order === null) return;',
    to: 'if (untilMs <= 0 || this.#order === null) return;',
    killers: [
      {
        test: 'test/process/guard-demotion.test.ts',
        title: 'is not demoted where it stood still until another one leads',
      },
    ],
  },
  {
    id: 'demotion-without-the-lock',
    says: 'What leaves the session of a demote command that a guard runs is found by nothing.',
    breaks: 'S6',
    file: 'src/guard/demote-command.ts',
    from: 'fd === null ? [] : [fd]',
    to: 'fd === null ? [] : []',
    killers: [
      {
        test: 'test/process/guard-demotion.test.ts',
        title:
          'is demoted also where its output is read, and what left the session of that ends first',
      },
    ],
  },
  {
    id: 'demotion-left-behind',
    says: 'What a demote command that a guard ran has started outlives the guard.',
    breaks: 'S6',
    file: 'src/guard/main.ts',
    from: 'const own = [this.#own, this.#demoteCommand?.session ?? null]',
    to: 'const own = [this.#own, null]',
    killers: [
      {
        test: 'test/process/guard-demotion.test.ts',
        title: 'is followed in time also when its demote command does not end',
      },
    ],
  },
  {
    id: 'lost-return-not-repeated',
    says: 'A guard whose request was lost leaves the lease to its end.',
    breaks: 'S4',
    file: 'src/guard/main.ts',
    from: 'const RETURN_ATTEMPTS = 5;',
    to: 'const RETURN_ATTEMPTS = 1;',
    killers: [
      {
        test: 'test/process/guard.test.ts',
        title: 'gives the lease back to a server that did not answer at first',
      },
    ],
  },
  {
    id: 'guard-waits-in-line',
    says: 'A guard that may come before others waits for the CPU as they do.',
    breaks: 'S3',
    file: 'src/guard/main.ts',
    from: 'ownPriority.raise();',
    to: 'ownPriority.asGiven(() => undefined);',
    killers: [
      {
        test: 'test/process/guard-priority.test.ts',
        title: 'run as nicely as the node was started, and the guard comes before them',
      },
    ],
  },
  {
    id: 'workload-comes-first-as-its-guard',
    says: 'What a guard starts has its priority, and comes before others as well.',
    breaks: 'S3',
    file: 'src/guard/priority.ts',
    from: 'this.#succeeds(main, this.#given);',
    to: 'this.#succeeds(main, this.#raised);',
    killers: [
      {
        test: 'test/guard/priority.test.ts',
        title: 'is not that of what it spawns, and its own again after that',
      },
    ],
  },
  {
    id: 'guard-first-until-it-starts',
    says: 'A guard waits for the CPU as others do from when it has started something.',
    breaks: 'S3',
    file: 'src/guard/priority.ts',
    from: 'this.#succeeds(main, this.#raised);',
    to: 'this.#succeeds(main, this.#given);',
    killers: [
      {
        test: 'test/guard/priority.test.ts',
        title: 'is its own again when nothing could be spawned',
      },
    ],
  },
];
