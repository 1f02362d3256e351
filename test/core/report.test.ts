// The bounds that a node states follow from its settings, and from nothing else.
import { describe, expect, it } from 'vitest';
import { reportOf } from '../../src/core/report.ts';
import { initialState } from '../../src/core/state.ts';
import { secondaryBase } from '../../src/core/outcome.ts';
import type { NodeState } from '../../src/core/state.ts';
import type { Settings } from '../../src/core/settings.ts';
import { settingsWith } from '../support/core-settings.ts';

describe('the bounds of a takeover', () => {
  const boundsWith = (changes: Partial<Settings>): unknown =>
    reportOf(initialState(0, 1), settingsWith(changes)).takeover;

  it('after a hang are the timeout, the probes and the longer grace', () => {
    const settings = {
      heartbeatIntervalMs: 500,
      heartbeatTimeoutMs: 1_000,
      probeAttempts: 3,
      probeTimeoutMs: 200,
      fenceGraceMs: 400,
      stopGraceMs: 300,
    };
    // Five timeouts is how long a starved primary is believed alive.
    expect(boundsWith(settings)).toEqual({ hangMs: 2_000, starvedMs: 6_000 });
  });

  it('count one heartbeat interval more where the probes take less than one', () => {
    const settings = { heartbeatIntervalMs: 900, heartbeatTimeoutMs: 2_000 };
    const probes = { probeAttempts: 1, probeTimeoutMs: 100, fenceGraceMs: 0, stopGraceMs: 0 };
    expect(boundsWith({ ...settings, ...probes })).toMatchObject({ hangMs: 3_000 });
  });

  it('are the end of the lease and a look where it ends by itself, whatever may be fenced', () => {
    const lease = { leaseTtlMs: 20_000, leaseRequestTimeoutMs: 400, heartbeatTimeoutMs: 2_000 };
    const bounds = { hangMs: 22_400, starvedMs: 22_400 };
    expect(boundsWith(lease)).toEqual(bounds);
    expect(boundsWith({ ...lease, fence: 'none' })).toEqual(bounds);
  });

  it('are none where a hung primary may not be fenced', () => {
    expect(boundsWith({ fence: 'none' })).toEqual({ hangMs: null, starvedMs: null });
  });
});

it('one that can not be heard from here has no last heartbeat', () => {
  const said = (apart: object): unknown => {
    const endpoints = { bus: 'bus', rpc: 'rpc' };
    const primary = { node: 'a', run: 'a1', endpoints, epoch: 1, succession: [], ...apart };
    const followed = { ...primary, version: null, standing: null, health: null };
    const state = { ...secondaryBase(initialState(0, 1)), primary: followed, phase: 'watching' };
    const { hearsPrimary, lastHeartbeatMs } = reportOf(state as NodeState, settingsWith({})); // apart is open above
    return [hearsPrimary, lastHeartbeatMs];
  };
  expect(said({})).toEqual([true, 0]);
  expect(said({ apart: true })).toEqual([false, null]);
});

describe('the restarts that are left', () => {
  const leftOf = (restarts: readonly number[], restartLimit: number): number => {
    const state = { ...initialState(0, 1), at: 100_000, restarts };
    return reportOf(state, settingsWith({ restartLimit, restartWindowMs: 60_000 })).restartsLeft;
  };

  it('are the limit without those of the last window', () => {
    expect(leftOf([], 3)).toBe(3);
    expect(leftOf([40_000, 40_001, 99_000], 3)).toBe(1);
  });

  it('are never below none', () => {
    expect(leftOf([90_000, 99_000], 1)).toBe(0);
  });
});
