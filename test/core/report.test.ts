// The bounds that a node states follow from its settings, and from nothing else.
import { describe, expect, it } from 'vitest';
import { reportOf } from '../../src/core/report.ts';
import { initialState } from '../../src/core/state.ts';
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

  it('are none where a hung primary may not be fenced', () => {
    expect(boundsWith({ fence: 'none' })).toEqual({ hangMs: null, starvedMs: null });
  });
});
