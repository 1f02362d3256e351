// What a text advises has to work for who reads it, and repeats no password.
import { describe, expect, it } from 'vitest';
import { advised, LEASE_TAKERS, withAdvice } from '../../src/cli/advised.ts';
import type { Asked } from '../../src/cli/advised.ts';
import { createProgram } from '../../src/cli/program.ts';
import { loadRunOptions } from '../../src/config/load.ts';
import { defaultStateDir } from '../../src/config/state-dir.ts';
import { FailoverError } from '../../src/errors.ts';

const STATUS = 'Run `failover status --group web` to see.';
const START = 'Start one with `failover run --group web -- server --lease x`.';

function inPlace(text: string, asked: Partial<Asked>): string {
  return advised(text, { stateDir: null, ...asked });
}

describe('a command that is advised', () => {
  it.each<[string, Partial<Asked>, string]>([
    ['as it is, at the defaults', {}, ''],
    ['as it is, in the default directory', { stateDir: defaultStateDir() }, ''],
    ['with the state directory', { stateDir: '/srv/s' }, ' --state-dir /srv/s'],
    ['with one that a shell would part', { stateDir: "/a b'c" }, " --state-dir '/a b'\\''c'"],
    ['with the lease', { lease: 'redis://s:7/1' }, ' --lease redis://s:7/1'],
    ['with files for its TLS', { lease: 'etcds://s?ca=/c' }, " --lease 'etcds://s?ca=/c'"],
    ['without a password', { lease: 'redis://u:hush@s' }, ' --lease "$FAILOVER_LEASE"'],
    ['without a lease of this machine', { lease: 'file' }, ''],
    [
      'with both',
      { stateDir: '/s', lease: 'postgres://h/db' },
      ' --state-dir /s --lease postgres://h/db',
    ],
  ])('is told %s', (_, asked, flags) => {
    expect(inPlace(STATUS, asked)).toBe(STATUS.replace('web`', () => `web${flags}\``));
  });

  it('has what belongs to it before the command of the node', () => {
    expect(inPlace(START, { lease: 'etcd://s' })).toBe(
      'Start one with `failover run --group web --lease etcd://s -- server --lease x`.',
    );
  });

  it('names a shared directory as it was given, as the state directory or as the lease', () => {
    const leaseTtl = '3s';
    const command = ['server'];
    const asState = { stateDir: '/mnt/share', leaseTtl };
    const asLease = { lease: 'file:/mnt/share', leaseTtl, stateDir: '/s' };
    const [state, lease] = [asState, asLease].map((flags) =>
      loadRunOptions({ flags, env: {}, command }),
    );
    expect(inPlace(STATUS, state ?? {})).toContain('web --state-dir /mnt/share`');
    expect(inPlace(START, state ?? {})).toContain(
      'web --state-dir /mnt/share --lease-ttl TIME -- server',
    );
    expect(inPlace(STATUS, lease ?? {})).toContain('web --state-dir /s --lease file:/mnt/share`');
  });

  it('is left as it is where it asks nodes of this machine, which know the lease', () => {
    const text = 'Run `failover promote --force --group web`, or `kill 7`, or `failover keygen`.';
    expect(inPlace(text, { lease: 'redis://s' })).toBe(text);
  });

  it('is not told twice', () => {
    const asked = { stateDir: '/s', lease: 'redis://s' };
    expect(inPlace(inPlace(STATUS, asked), asked)).toBe(inPlace(STATUS, asked));
  });

  it('takes every flag that it is told with', () => {
    const takers = createProgram()
      .commands.filter((command) => command.options.some(({ long }) => long === '--lease'))
      .map((command) => command.name());
    expect(new Set(takers.filter((name) => !['simulate', 'systemd'].includes(name)))).toEqual(
      LEASE_TAKERS,
    );
  });
});

it('an error keeps all but its hint', () => {
  const error = new FailoverError('FAILOVER_TIMED_OUT', 'Gave up', { details: { group: 'web' } });
  expect(withAdvice(error, { stateDir: '/s' })).toMatchObject({
    ...{ code: 'FAILOVER_TIMED_OUT', message: 'Gave up', exitCode: 7 },
    hint: expect.stringContaining('`failover status --group web --state-dir /s`') as string,
  });
  expect(withAdvice(error, { stateDir: null })).toBe(error);
});
