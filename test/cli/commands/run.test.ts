// What `failover run` says of its surroundings before anything happens.
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ignoredVariables } from '../../../src/cli/commands/run.ts';

describe('a variable that run does not read', () => {
  const env = { FAILOVER_GROUP: 'web', FAILOVER_STATE_DIR: '/srv/state' };

  it('is told of with the flag that does it', () => {
    expect(ignoredVariables({ group: 'default', stateDir: null }, env, '/elsewhere')).toEqual([
      'run does not read FAILOVER_GROUP: to join that group, use --group web.',
      'run does not read FAILOVER_STATE_DIR: to use that directory, use --state-dir /srv/state.',
    ]);
  });

  it('is not told of where the flag was given, as by a workload that starts a node', () => {
    expect(ignoredVariables({ group: 'api', stateDir: '/elsewhere' }, env)).toEqual([]);
  });

  it('is not told of where it is empty, or says what holds anyway', () => {
    const same = { FAILOVER_GROUP: 'default', FAILOVER_STATE_DIR: '' };
    expect(ignoredVariables({ group: 'default', stateDir: null }, same)).toEqual([]);
    const state = { FAILOVER_STATE_DIR: '/srv/state/' };
    expect(ignoredVariables({ group: 'default', stateDir: null }, state, '/srv/state')).toEqual([]);
  });

  it('is not told of where it leads to the same directory by another name', () => {
    const directory = mkdtempSync(join(tmpdir(), 'failover-run-'));
    onTestFinished(() => {
      rmSync(directory, { recursive: true });
    });
    symlinkSync(directory, join(directory, 'link'));
    const linked = { FAILOVER_STATE_DIR: join(directory, 'link') };
    expect(ignoredVariables({ group: 'default', stateDir: null }, linked, directory)).toEqual([]);
  });

  it('is told of in one line by a node that the command of another one starts', () => {
    const nested = { ...env, FAILOVER_LOCK_FD: '3' };
    expect(ignoredVariables({ group: 'api', stateDir: null }, nested, '/var/lib/failover')).toEqual(
      [
        'this node was started by the command of group web, but run does not read FAILOVER_GROUP and FAILOVER_STATE_DIR. It joins group api in /var/lib/failover; use --group and --state-dir to choose another.',
      ],
    );
    expect(ignoredVariables({ group: 'api', stateDir: null }, nested, '/srv/state')).toEqual([]);
  });
});
