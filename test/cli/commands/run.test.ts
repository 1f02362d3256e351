// What `failover run` says of its surroundings before anything happens.
import { describe, expect, it } from 'vitest';
import { ignoredVariables } from '../../../src/cli/commands/run.ts';

describe('a variable that run does not read', () => {
  const env = { FAILOVER_GROUP: 'web', FAILOVER_STATE_DIR: '/srv/state' };

  it('is told of with the flag that does it', () => {
    expect(ignoredVariables({ group: 'default', stateDir: null }, env)).toEqual([
      'run does not read FAILOVER_GROUP: to join that group, give --group web.',
      'run does not read FAILOVER_STATE_DIR: to use that directory, give --state-dir /srv/state.',
    ]);
  });

  it('is not told of where the flag was given, as by a workload that starts a node', () => {
    expect(ignoredVariables({ group: 'api', stateDir: '/elsewhere' }, env)).toEqual([]);
  });

  it('is not told of where it is empty, or says what holds anyway', () => {
    const same = { FAILOVER_GROUP: 'default', FAILOVER_STATE_DIR: '' };
    expect(ignoredVariables({ group: 'default', stateDir: null }, same)).toEqual([]);
  });
});
