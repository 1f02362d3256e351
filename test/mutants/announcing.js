// Faults of what is said, and when: nothing is announced before it is so.
import { SIMULATED, transcript } from './mutant.js';

/** @type {readonly import('./mutant.js').Mutant[]} */
export const ANNOUNCING = [
  {
    id: 'announced-before-ready',
    says: 'A promotion is announced before the workload is ready.',
    breaks: 'S5',
    file: 'src/core/when-candidate.ts',
    from: 'return settings.hasReadyCheck ? stay(activated) : ready(activated, settings);',
    to: 'return ready(activated, settings);',
    killers: [SIMULATED, transcript('ready check and promote command: announced only after both')],
  },
  {
    id: 'promote-command-skipped',
    says: 'A promotion is announced without the promote command.',
    breaks: 'S5',
    file: 'src/core/when-candidate.ts',
    from: 'if (!settings.hasPromoteCommand) return promoted(state, activatedAt, settings);',
    to: 'if (activatedAt >= 0) return promoted(state, activatedAt, settings);',
    killers: [SIMULATED, transcript('ready check and promote command: announced only after both')],
  },
  {
    id: 'failed-promote-command-taken-for-success',
    says: 'A promote command that failed counts as one that succeeded.',
    breaks: 'S5',
    file: 'src/core/when-candidate.ts',
    from: 'if (event.ok) return promoted(state, state.activatedAt, settings);',
    to: 'if (event.ok || !event.ok) return promoted(state, state.activatedAt, settings);',
    killers: [SIMULATED, transcript('the promote command fails: undone')],
  },
  {
    id: 'end-announced-before-release',
    says: 'The end of a term is announced before the lease is free.',
    breaks: 'S5',
    file: 'src/core/demotion.ts',
    from: "  return stay({ ...state, demotion, warning: warningAfter(state) }, { type: 'release-lease' });",
    to: `  const { epoch } = state;
  const { reason, successor, completed } = demotion;
  const ending = { kind: 'shutdown', epoch, reason, successor, completed, planned: true } as const;
  const early: Effect = { type: 'publish', announcement: { ...ending, workloadEndedAgoMs: 0 } };
  return stay({ ...state, demotion, warning: warningAfter(state) }, early, {
    type: 'release-lease',
  });`,
    killers: [
      SIMULATED,
      transcript('a primary: demote command, workload, lease, and only then the word'),
    ],
  },
  {
    id: 'completion-not-recorded',
    says: 'What is completed is not on record before the lease is given back: the next primary does it once more.',
    breaks: 'S5',
    file: 'src/core/demotion.ts',
    from: "if (demotion.why === 'lease-lost' || demotion.stop?.immediate === true) {",
    to: 'if (demotion.completed) {',
    killers: [
      SIMULATED,
      transcript(
        'on-failure: what is completed is recorded before the lease is given back, however often',
      ),
    ],
  },
  {
    id: 'lease-kept-after-failed-promotion',
    says: 'A failed promotion does not give the lease back.',
    breaks: 'S5',
    file: 'src/core/unwinding.ts',
    from: `      return stay(
        { ...state, armed: false, warning, step: 'release', until, told: false },
        { type: 'release-lease' },
      );`,
    to: `      return released({ ...state, armed: false, warning, step: 'release', until, told: false }, null, settings);`,
    killers: [SIMULATED, transcript('the promote command fails: undone')],
  },
  {
    id: 'workload-kept-after-failed-promotion',
    says: 'A failed promotion gives the lease back and leaves its workload running.',
    breaks: 'S1',
    file: 'src/core/unwinding.ts',
    from: `    step: 'stop',
    until: stopDueAt(state.at, graceMs),
    told: false,
  });
  return move(by, { state: next, detail: failure.message }, { type: 'stop-workload', graceMs });`,
    to: `    step: 'release',
    until: stopDueAt(state.at, graceMs),
    told: false,
  });
  return move(by, { state: next, detail: failure.message }, { type: 'release-lease' });`,
    killers: [SIMULATED, transcript('the promote command fails: undone')],
  },
  {
    id: 'released-not-announced',
    says: 'The end of a failed promotion is not announced: the others sit out their backoff.',
    breaks: 'S4',
    file: 'src/core/unwinding.ts',
    from: "if (state.failure.kind === 'lease-lost') return [];",
    to: "if (state.failure.kind !== 'interrupted') return [];",
    killers: [transcript('the promote command fails: undone')],
  },
  {
    id: 'lost-lease-announced',
    says: 'A primary that has lost its lease announces an end as if it had given it back.',
    breaks: 'S5',
    file: 'src/core/after-demotion.ts',
    from: "if (demotion.why === 'lease-lost') return [];",
    to: "if (demotion.why === 'stop') return [];",
    killers: [transcript('the lease is lost while serving: no drain')],
  },
  {
    id: 'role-told-while-promoting',
    says: 'A candidate sends the heartbeats of a primary.',
    breaks: 'S5',
    file: 'src/core/announcements.ts',
    from: "phase: isPrimary ? 'primary' : 'promoting',",
    to: "phase: isPrimary ? 'primary' : 'primary',",
    killers: [SIMULATED, transcript('auto: everything that happens at a beat, shown once')],
  },
];
