// Faults of how workloads and hooks are started and stopped.

/** @type {readonly import('./mutant.js').Mutant[]} */
export const RUNNING = [
  {
    id: 'gate-opened-before-record',
    says: 'A workload runs before it is recorded: a supervisor killed in between leaves an orphan nobody knows.',
    breaks: 'S1',
    file: 'src/workload/supervised-workload.ts',
    from: '    const run = newRun(gated, description);\n',
    to: `    gated.open({ role: 'primary', epoch: '1', previous: '', reason: 'start' });
    const run = newRun(gated, description);
`,
    killers: [
      { test: 'test/workload/gate.test.ts', title: 'starts nothing that could not be recorded' },
    ],
  },
  {
    id: 'gate-runs-at-end-of-pipe',
    says: 'A process that waits behind its gate runs when its supervisor is killed.',
    breaks: 'S1',
    file: 'src/workload/gate-script.ts',
    from: 'IFS= read -r FAILOVER_PREVIOUS && IFS= read -r FAILOVER_REASON || exit ${GATE_CLOSED_EXIT_CODE}',
    to: 'IFS= read -r FAILOVER_PREVIOUS && IFS= read -r FAILOVER_REASON || exec "$@" </dev/null',
    killers: [
      {
        test: 'test/workload/gate.test.ts',
        title: 'ends with nothing started when its supervisor is killed before it opens',
      },
    ],
  },
  {
    id: 'no-death-signal',
    says: 'A workload does not hear of the death of its supervisor.',
    breaks: 'S6',
    file: 'src/workload/gate-script.ts',
    from: 'if (request.deathSignal === null) return gate;',
    to: 'if (request.deathSignal === null || request.command.length > 0) return gate;',
    killers: [
      { test: 'test/workload/gate.test.ts', title: 'takes its workload along in order by default' },
    ],
  },
  {
    id: 'workload-without-lock',
    says: 'A workload inherits no copy of the lock.',
    breaks: 'S1',
    file: 'src/workload/gate.ts',
    from: "stdio: lockFd === null ? ['pipe', output, output] : ['pipe', output, output, lockFd as 3],",
    to: "stdio: lockFd === null ? ['pipe', output, output] : ['pipe', output, output, 'ignore'],",
    killers: [
      {
        test: 'test/workload/supervisor.test.ts',
        title: 'is reported with its exit code, also when helpers live on',
      },
    ],
  },
  {
    id: 'hook-outlives-supervisor',
    says: 'A promote command goes on when its supervisor is killed.',
    breaks: 'S1',
    file: 'src/workload/hooks.ts',
    from: "deathSignal: request.deathSignal ? 'KILL' : null,",
    to: "deathSignal: request.deathSignal && request.timeoutMs < 0 ? 'KILL' : null,",
    killers: [{ test: 'test/workload/gate.test.ts', title: 'takes its running hook along' }],
  },
  {
    id: 'hook-not-recorded',
    says: 'Hooks are not recorded: a successor does not wait for them.',
    breaks: 'S1',
    file: 'src/workload/hooks.ts',
    from: 'book.add({',
    to: 'new (book.constructor as typeof SessionBook)({ setSessions: () => undefined }).add({',
    killers: [
      {
        test: 'test/workload/hooks.test.ts',
        title: 'is recorded while it runs, and what it left behind is ended',
      },
    ],
  },
  {
    id: 'hook-leftovers-kept',
    says: 'What a hook leaves behind lives on.',
    breaks: 'S6',
    file: 'src/workload/hooks.ts',
    from: '  await empty(gated, book);\n',
    to: '  if (end === null) await empty(gated, book);\n',
    killers: [
      {
        test: 'test/workload/hooks.test.ts',
        title: 'is recorded while it runs, and what it left behind is ended',
      },
    ],
  },
  {
    id: 'hook-without-lock',
    says: 'A hook that runs after its workload has ended holds no lock.',
    breaks: 'S1',
    file: 'src/workload/supervised-workload.ts',
    from: 'return { fd: fresh?.fd ?? null, close: () => fresh?.close() };',
    to: 'return { fd: null, close: () => fresh?.close() };',
    killers: [
      {
        test: 'test/workload/hooks.test.ts',
        title: 'holds the lock, also after the workload has ended',
      },
    ],
  },
  {
    id: 'unlocked-instead-of-closed',
    says: 'The supervisor frees the workload lock for every copy when it closes its own.',
    breaks: 'S1',
    file: 'src/workload/run.ts',
    from: '  run.description?.close();\n',
    to: '  run.description?.unlock();\n  run.description?.close();\n',
    killers: [
      {
        test: 'test/workload/supervisor.test.ts',
        title: 'is reported with its exit code, also when helpers live on',
      },
    ],
  },
  {
    id: 'process-group-for-session',
    says: 'What left the process group of the workload is not ended with it.',
    breaks: 'S1',
    file: 'src/workload/living-members.ts',
    from: 'const members = sessions.get(record.process.pid) ?? [];',
    to: 'const members = (sessions.get(record.process.pid) ?? []).filter(({ group }) => group === record.process.pid);',
    killers: [
      {
        test: 'test/workload/supervisor.test.ts',
        title: 'ends a helper that left the process group',
      },
    ],
  },
  {
    id: 'started-beside-own-leftovers',
    says: 'A node starts its workload again while something of its last run lives that closed the lock.',
    breaks: 'S1',
    file: 'src/workload/supervised-workload.ts',
    from: 'if (alive.length === 0) return;',
    to: 'if (alive.length >= 0) return;',
    killers: [
      { test: 'test/workload/supervisor.test.ts', title: 'can be armed anew beside its leftovers' },
    ],
  },
  {
    id: 'started-without-lock',
    says: 'A workload starts although its lock is held.',
    breaks: 'S1',
    file: 'src/workload/workload-lock.ts',
    from: 'if (await description.tryLock()) return;\n  if (await poll',
    to: 'if ((await description.tryLock()) || true) return;\n  if (await poll',
    killers: [
      {
        test: 'test/workload/supervisor.test.ts',
        title: 'starts nothing while another description holds the lock',
      },
    ],
  },
  {
    id: 'stop-overtaken-by-start',
    says: 'A start that a stop has overtaken goes on.',
    breaks: 'S1',
    file: 'src/workload/supervised-workload.ts',
    from: 'if (this.#stops !== begun) throw stoppedWhileStarting();',
    to: 'if (this.#stops < begun) throw stoppedWhileStarting();',
    killers: [
      {
        test: 'test/workload/supervisor.test.ts',
        title: 'starts nothing when it is stopped meanwhile',
      },
    ],
  },
  {
    id: 'killed-without-term',
    says: 'A workload that is stopped is killed at once.',
    breaks: 'S6',
    file: 'src/workload/emptying.ts',
    from: "send(member, 'SIGTERM');",
    to: "send(member, 'SIGKILL');",
    killers: [
      {
        test: 'test/workload/supervisor.test.ts',
        title: 'asks with TERM, waits, and leaves nothing and a free lock',
      },
    ],
  },
  {
    id: 'never-killed',
    says: 'A workload that ignores SIGTERM is never killed.',
    breaks: 'S4',
    file: 'src/workload/emptying.ts',
    from: "for (const member of members) send(member, 'SIGKILL');",
    to: "for (const member of members) send(member, 'SIGTERM');",
    killers: [
      {
        test: 'test/workload/supervisor.test.ts',
        title: 'kills what ignores TERM once the grace is over',
      },
    ],
  },
  {
    id: 'hot-told-before-lock',
    says: 'A hot workload is told that it is primary before its lock is taken.',
    breaks: 'S1',
    file: 'src/workload/standby.ts',
    from: '    await takeWorkloadLock(description);\n    this.requireCurrent(run);\n',
    to: '    this.tellRole(message);\n    await takeWorkloadLock(description);\n    this.requireCurrent(run);\n',
    killers: [
      {
        test: 'test/workload/standby.test.ts',
        title: 'is not promoted while something else holds the lock',
      },
    ],
  },
  {
    id: 'hot-lock-kept',
    says: 'A hot workload that was demoted keeps the lock: nobody can start.',
    breaks: 'S4',
    file: 'src/workload/standby.ts',
    from: '    run.description?.unlock();\n',
    to: '',
    killers: [
      {
        test: 'test/workload/standby.test.ts',
        title: 'goes on as secondary with a free lock after a confirmed demotion',
      },
    ],
  },
  {
    id: 'hot-hooks-left',
    says: 'What the hooks of a hot workload left in a session of its own goes on after the demotion.',
    breaks: 'S1',
    file: 'src/workload/standby.ts',
    from: '    await this.endHookHelpers();\n',
    to: '',
    killers: [
      {
        test: 'test/workload/standby.test.ts',
        title: 'is demoted only once what its hooks left has ended',
      },
    ],
  },
  {
    id: 'ended-hot-taken-for-demoted',
    says: 'A hot workload that has ended passes for demoted, whatever it started.',
    breaks: 'S1',
    file: 'src/workload/standby.ts',
    from: "if (run === null) throw new Error('the hot workload has exited');",
    to: 'if (run === null) return;',
    killers: [
      {
        test: 'test/workload/standby.test.ts',
        title: 'does not pass for demoted when it has ended',
      },
    ],
  },
  {
    id: 'hot-untold-passes-for-told',
    says: 'A hot workload that does not get its signal passes for one that was told its role.',
    breaks: 'S1',
    file: 'src/workload/standby.ts',
    from: 'throw notSignalled(signal, error);',
    to: 'return true;',
    killers: [{ test: 'test/workload/hidden-hot.test.ts', title: 'where it may not be signalled' }],
  },
  {
    id: 'role-file-of-all-runs',
    says: 'All runs in a directory have one role file: an orphan reads the role of the next one.',
    breaks: 'S1',
    file: 'src/lease/file/group-paths.ts',
    from: 'return join(paths.directory, `role-${run}.json`);',
    to: "return join(paths.directory, run === '' ? '' : 'role-all.json');",
    killers: [
      { test: 'test/lease/file/group-paths.test.ts', title: 'each run has a role file of its own' },
    ],
  },
];
