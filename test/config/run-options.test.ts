// What a program gives and leaves out.
import { describe, expect, it } from 'vitest';
import { loadRunOptions } from '../../src/config/load.ts';
import { runOptionsOf } from '../../src/config/run-options.ts';
import { failureOf } from '../support/failover-error.ts';

describe('runOptionsOf', () => {
  it('fills in the defaults of the command line', () => {
    const command = ['node', 'server.js'];
    expect(runOptionsOf({ command })).toEqual(loadRunOptions({ flags: {}, env: {}, command }));
  });

  it('takes every setting back that it gave', () => {
    const changed = {
      ...runOptionsOf({ command: ['x'] }),
      group: 'web',
      node: 'a',
      role: 'secondary',
      stateDir: '/tmp/state',
      priority: 3,
      standby: 'hot',
      promoteSignal: 'SIGUSR1',
      fence: 'none',
      exitOnDemote: true,
      quiet: true,
      heartbeatIntervalMs: 20,
      heartbeatTimeoutMs: 80,
      retryBackoffMinMs: 40,
      retryBackoffMaxMs: 80,
      drainMs: 0,
      probeAttempts: 5,
    } as const;
    expect(runOptionsOf(changed)).toEqual(changed);
  });

  it('reads no environment, and takes null and undefined for the default', () => {
    process.env['FAILOVER_HEARTBEAT_INTERVAL'] = '70ms';
    try {
      const options = runOptionsOf({ command: ['x'], heartbeatIntervalMs: undefined, node: null });
      expect(options).toMatchObject({ heartbeatIntervalMs: 500, node: null });
    } finally {
      delete process.env['FAILOVER_HEARTBEAT_INTERVAL'];
    }
  });

  it('completes a pause of which only one end is given', () => {
    const options = runOptionsOf({ command: ['x'], retryBackoffMinMs: 40 });
    expect(options).toMatchObject({ retryBackoffMinMs: 40, retryBackoffMaxMs: 30_000 });
  });

  it.each([-5, 0.5, Number.NaN, Infinity, 1e21])('refuses a duration of %d ms', (durationMs) => {
    const { code } = failureOf(() =>
      runOptionsOf({ command: ['x'], heartbeatIntervalMs: durationMs }),
    );
    expect(code).toBe('FAILOVER_BAD_OPTION');
  });

  it('refuses a name that there is not, and says which there are', () => {
    const misspelt = { command: ['x'], heartbeatInterval: 5 };
    const { code, message, hint } = failureOf(() => runOptionsOf(misspelt));
    expect(code).toBe('FAILOVER_BAD_OPTION');
    expect(message).toContain('heartbeatInterval:');
    expect(hint).toContain('heartbeatIntervalMs');
  });

  it('keeps the command as it was given, whatever becomes of the list', () => {
    const command = ['sleep', '1'];
    const options = runOptionsOf({ command });
    command[1] = '1000';
    expect(options.command).toEqual(['sleep', '1']);
  });

  it.each([5, 'sleep 1', [5]])('refuses %j as a command', (command) => {
    // As from a program without types.
    const given = { command } as unknown as Parameters<typeof runOptionsOf>[0];
    const { code, message } = failureOf(() => runOptionsOf(given));
    expect([code, message]).toEqual([
      'FAILOVER_BAD_OPTION',
      'Cannot use command: it is not a list of strings',
    ]);
  });

  it('refuses a node that has nothing to do', () => {
    expect(failureOf(() => runOptionsOf({})).code).toBe('FAILOVER_USAGE');
  });
});
