// What a node says of itself is never empty, and names what it goes by and what it waits for.
import { describe, expect, it } from 'vitest';
import { explanationOf } from '../../src/core/explanation.ts';
import { nextWakeAt } from '../../src/core/schedule.ts';
import type { NodeState, Phase } from '../../src/core/state.ts';
import { ROLE_OF_PHASE } from '../../src/core/phases.ts';
import { stepsOfALife } from '../journal/support.ts';
import { parseScenarios, replay } from '../support/core-replay.ts';
import { DEFAULT_SETTINGS, settingsWith } from '../support/core-settings.ts';

/** The state that a scenario leads to. */
function after(...lines: readonly string[]): NodeState {
  const [scenario] = parseScenarios(`== a case\n${lines.join('\n')}\n`);
  if (scenario === undefined) throw new Error('no scenario');
  return replay(scenario).state;
}

function explain(...lines: readonly string[]): { evidence: string[]; pending: string[] } {
  const { evidence, pending } = explanationOf(after(...lines), DEFAULT_SETTINGS);
  return {
    evidence: evidence.map(({ text }) => text),
    pending: pending.map(({ name, inMs, text }) => `${name} ${String(inMs)}: ${text}`),
  };
}

describe('an explanation', () => {
  it('has something that is waited for in every phase but the last, none of it in the past', () => {
    const hot = settingsWith({ standby: 'hot', hasPromoteCommand: true, hasReadyCheck: true });
    const seen = new Set<Phase>();
    for (const settings of [DEFAULT_SETTINGS, hot]) {
      for (let seed = 0; seed < 30; seed += 1) {
        for (const { state } of stepsOfALife(seed, 300, settings)) {
          seen.add(state.phase);
          const { pending, evidence } = explanationOf(state, settings);
          if (state.phase !== 'stopped' && pending.length === 0) throw new Error(state.phase);
          if (evidence.length === 0) throw new Error(`${state.phase} has no evidence`);
          if (pending.some(({ inMs }) => inMs !== null && inMs < 0)) throw new Error(state.phase);
        }
      }
    }
    // The dice hardly ever come to fencing, which has a case of its own below.
    const phases = Object.keys(ROLE_OF_PHASE).filter((phase) => phase !== 'fencing');
    expect([...seen].filter((phase) => phase !== 'fencing').sort()).toEqual(phases.sort());
  });

  it('says nothing that the node does not wake for', () => {
    const state = after('given following from=a epoch=3', 'until 1000');
    const { pending } = explanationOf(state, DEFAULT_SETTINGS);
    const wakeInMs = nextWakeAt(state, DEFAULT_SETTINGS) - state.at;
    expect(pending[0]?.inMs).toBeGreaterThanOrEqual(Math.round(wakeInMs));
  });
});

describe('a secondary that follows', () => {
  it('tells the signs of life, and when it would doubt', () => {
    const { evidence, pending } = explain(
      'given following from=a epoch=3 succession=b',
      'until 400',
      'at 400 heartbeat-received from=a epoch=3 succession=b',
      'at 500 lease-observed holder=a epoch=3 touch=t1',
      'at 900 lease-observed holder=a epoch=3 touch=t2',
    );
    expect(evidence).toEqual([
      'a was last heard 500 ms ago; it is suspected after 2.0 s',
      'the lock file of a was seen to change 0 ms ago',
      'its last probe did not fail',
      'its own event loop was never more than 500 ms late',
    ]);
    expect(pending[0]).toBe('silence 1500: it suspects the primary unless it hears from it');
    expect(pending[1]).toMatch(/^probe \d+: it probes the primary$/);
  });

  it('of one that can not be heard from here says so, and that nothing else is waited for', () => {
    const { evidence, pending } = explain('at 0 lease-observed holder=a epoch=3 apart');
    expect(evidence).toEqual([
      'a cannot be heard, only its lease is visible; ' +
        'its sockets are not on this machine; set --bind tcp://… on each node',
      'its own event loop was never more than 500 ms late',
    ]);
    expect(pending).toEqual(['silence null: it claims the lease once that is free']);
  });

  it('that is paused says so beside them', () => {
    const { pending } = explain(
      'given following from=a epoch=3',
      'at 10 lease-observed holder=a epoch=3 paused',
    );
    expect(pending.at(-1)).toBe(
      'not-willing null: it makes no claim while this holds: the group is paused',
    );
  });
});

describe('a secondary that has lost its primary', () => {
  it('tells of the loss and waits for the end of the pause', () => {
    const { evidence, pending } = explain(
      'given following from=a epoch=3 succession=b',
      'at 10 lease-observed holder=a epoch=3 paused',
      'at 20 connection-lost run=a1',
    );
    expect(evidence).toContain('the connection to a dropped, 0 ms ago');
    expect(pending).toEqual([
      'not-willing null: it makes no claim while this holds: the group is paused',
    ]);
  });

  it('waits for its turn behind those before it', () => {
    const { pending } = explain(
      'given following from=a epoch=3 succession=c,b',
      'at 20 connection-lost run=a1',
    );
    expect(pending).toEqual(['turn 5: it claims the lease unless a node ahead of it has']);
  });

  it('counts the probes of a doubt', () => {
    const doubt = ['given following from=a epoch=3', 'at 2500 probe-failed probe=2'];
    const { evidence, pending } = explain(...doubt);
    expect(evidence).toContain('probe 2 of 2 is in progress');
    expect(pending).toEqual(['probe-answer 500: its probe is answered']);
    const judging = explain(...doubt, 'at 3000 probe-failed probe=3');
    expect(judging.evidence).toContain('2 of 2 probes have failed; inspecting the process itself');
    expect(judging.pending).toEqual([
      "look 1000: its inspection of the primary's process is answered",
    ]);
  });

  it('waits for the end of one that it fences', () => {
    const { evidence, pending } = explain(
      'given following from=a epoch=3',
      'at 2001 holder-inspected holder=a epoch=3 touch=t0',
      'at 2500 probe-failed probe=2',
      'at 3000 probe-failed probe=3',
      'at 3001 holder-inspected holder=a epoch=3 touch=t0',
    );
    expect(pending).toEqual([
      expect.stringMatching(/^fencing \d+: the silent primary is gone$/) as string,
    ]);
    // They have all failed.
    expect(evidence).not.toContain('its last probe did not fail');
  });
});

describe('a primary', () => {
  it('tells who stands by', () => {
    const { evidence, pending } = explain(
      'given serving epoch=3',
      'at 100 standby-heard from=c',
      'at 150 standby-heard from=d unwilling',
    );
    expect(evidence.slice(0, 2)).toEqual([
      'c stands by, heard 50 ms ago',
      'd would not take over, heard 0 ms ago',
    ]);
    expect(pending).toEqual(['heartbeat 350: it sends its next heartbeat']);
  });
});
