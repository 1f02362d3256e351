// The lines that people read, whole.
import { expect, it } from 'vitest';
import type { CoreReport } from '../../src/core/report.ts';
import { statusText } from '../../src/library/status-text.ts';

const SECONDARY: CoreReport = {
  id: 'b',
  run: 'run',
  role: 'secondary',
  phase: 'watching',
  epoch: 7,
  version: '1.0.0',
  standby: 'cold',
  strategy: 'race',
  priority: 100,
  preemptsInMs: null,
  willing: true,
  unwillingBecause: null,
  health: null,
  unhealthyBecause: null,
  paused: false,
  reason: 'Another node holds the lease',
  warning: null,
  roleForMs: 12_345,
  uptimeMs: 20_000,
  lastHeartbeatMs: 34,
  hearsPrimary: true,
  primary: 'a',
  succession: ['b', 'c'],
  lastTakeover: null,
  restarts: 0,
  restartsLeft: 3,
  staleMessages: 0,
  worstLatenessMs: 3,
  takeover: { hangMs: 8000, starvedMs: 16_000 },
};

it('says of a secondary whom it follows and whether it would take over', () => {
  expect(statusText('web', SECONDARY)).toBe(
    [
      'b in group web: secondary (watching), epoch 7, for 12.3 s',
      'reason: Another node holds the lease',
      'primary: a, heard 34 ms ago',
      'would take over: yes',
      'next in line: b, c',
    ].join('\n'),
  );
});

it('says why a secondary would not, and what is wrong', () => {
  const text = statusText('web', {
    ...SECONDARY,
    phase: 'waiting',
    willing: false,
    unwillingBecause: 'the group is paused',
    warning: 'no node can reach this node',
    primary: null,
    lastHeartbeatMs: null,
    succession: [],
  });
  expect(text.split('\n').slice(2)).toEqual([
    'primary: none',
    'would take over: no, the group is paused',
    'warning: no node can reach this node',
  ]);
});

it('says of a primary how it came to lead', () => {
  const text = statusText('web', {
    ...SECONDARY,
    role: 'primary',
    phase: 'serving',
    lastHeartbeatMs: 0,
    primary: 'b',
    lastTakeover: {
      kind: 'failover',
      from: 'a',
      to: 'b',
      epoch: 7,
      reason: 'the connection to a dropped',
      gapMs: 8.25,
    },
  });
  expect(text.split('\n')).toEqual([
    'b in group web: primary, epoch 7, for 12.3 s',
    'reason: Another node holds the lease',
    'next in line: b, c',
    'last takeover: failover from a to b, epoch 7, gap 8.3 ms: the connection to a dropped',
  ]);
});
