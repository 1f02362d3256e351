// What a drill leaves out, and why: nothing that would take the last standby or harm a stranger.
import { describe, expect, it } from 'vitest';
import { DRILL_FAULTS } from '../../../src/cli/drill/faults.ts';
import type { DrillFault } from '../../../src/cli/drill/faults.ts';
import { obstacleNow, planDrill } from '../../../src/cli/drill/plan.ts';
import type { PlanRequest } from '../../../src/cli/drill/plan.ts';
import type { Scene } from '../../../src/cli/drill/scene.ts';
import { drilled, sceneWith } from '../support/drilled.ts';

const three = sceneWith(drilled('a'), drilled('b'), drilled('c'));

function playedIn(scene: Scene, change: Partial<PlanRequest> = {}): readonly DrillFault[] {
  const plan = planDrill(scene, { faults: DRILL_FAULTS, rounds: 1, restores: false, ...change });
  return plan.flatMap(({ fault, skipped }) => (skipped === null ? fault : []));
}

function whyNot(fault: DrillFault, scene: Scene, change: Partial<PlanRequest> = {}): string {
  const plan = planDrill(scene, { faults: [fault], rounds: 1, restores: false, ...change });
  return plan[0]?.skipped ?? '';
}

describe('redundancy', () => {
  it('is never taken below one standby: one more is needed for each node that is lost', () => {
    expect(playedIn(sceneWith(drilled('a'), drilled('b')))).toEqual([
      ...['switchover', 'workload-crash', 'starve'],
    ]);
    expect(playedIn(three)).toEqual(['switchover', 'workload-crash', 'starve', 'crash']);
    const four = sceneWith(drilled('a'), drilled('b'), drilled('c'), drilled('d'));
    expect(playedIn(four)).toEqual(DRILL_FAULTS);
  });

  it('counts every round', () => {
    expect(whyNot('crash', three, { rounds: 2 })).toContain('3 secondaries');
  });

  it('is no matter where each lost node is brought back', () => {
    const two = sceneWith(drilled('a'), drilled('b'));
    expect(playedIn(two, { restores: true, rounds: 3 })).toEqual(DRILL_FAULTS);
  });

  it('goes first to what is asked for first', () => {
    expect(playedIn(three, { faults: ['hang', 'crash'] })).toEqual(['hang']);
  });

  it('is looked at again right before each fault', () => {
    expect(obstacleNow('crash', three, false)).toBeNull();
    const two = sceneWith(drilled('a'), drilled('b'));
    expect(obstacleNow('crash', two, false)).toContain('1 is left');
    expect(obstacleNow('crash', two, true)).toBeNull();
  });

  it.each([
    ['switchover', { exitOnDemote: true }],
    ['workload-crash', { restart: 'never' }],
  ] as const)('is needed also for a %s that makes the node end', (fault, setup) => {
    expect(whyNot(fault, sceneWith(drilled('a', { setup }), drilled('b')))).toContain('2 second');
  });
});

describe('what is never done', () => {
  it.each(['crash', 'hang'] as const)('%s to a program that has a node in it', (fault) => {
    const program = drilled('b', { setup: { ownsProcess: false } });
    expect(whyNot(fault, sceneWith(drilled('a'), program, drilled('c')))).toContain(
      'program of yours',
    );
  });

  it.each(['crash', 'hang'] as const)('%s where the orphan is kept', (fault) => {
    const keeper = drilled('a', { setup: { orphan: 'keep' } });
    expect(whyNot(fault, sceneWith(keeper, drilled('b'), drilled('c')))).toContain('--orphan keep');
  });

  it.each(['none', 'kill-unless-stopped'] as const)('a hang under --fence %s of any', (fence) => {
    const lenient = sceneWith(drilled('a'), drilled('b'), drilled('c', { setup: { fence } }));
    expect(whyNot('hang', lenient)).toContain(`--fence ${fence}`);
    expect(whyNot('crash', lenient)).toBe('');
  });

  it('a workload-crash of a node without a command', () => {
    const hooks = drilled('a', { setup: { hasWorkload: false } });
    expect(whyNot('workload-crash', sceneWith(hooks, drilled('b')))).toContain('no command');
  });

  it('one that would be a restart too many', () => {
    const worn = sceneWith(drilled('a', { restartsLeft: 1 }), drilled('b'));
    expect(whyNot('workload-crash', worn)).toBe('');
    expect(whyNot('workload-crash', worn, { rounds: 2 })).toContain('1 are left');
    const hot = sceneWith(drilled('a', { restartsLeft: 0, standby: 'hot' }), drilled('b'));
    expect(whyNot('workload-crash', hot)).toBe('');
  });
});
