import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { resolveCommand } from '../../src/workload/command-path.ts';
import { failureOf } from '../support/failover-error.ts';
import { workloadDirectory } from '../support/workload.ts';

describe('resolveCommand', () => {
  it('finds a program in the PATH, in its order', () => {
    const directory = workloadDirectory();
    for (const name of ['first', 'second']) {
      mkdirSync(join(directory, name));
      writeFileSync(join(directory, name, 'tool'), '', { mode: 0o755 });
    }
    const environment = { PATH: `${directory}/none:${directory}/second:${directory}/first` };
    expect(resolveCommand('tool', environment)).toBe(`${directory}/second/tool`);
  });

  it('takes a name with a slash as a path', () => {
    const directory = workloadDirectory();
    writeFileSync(join(directory, 'tool'), '', { mode: 0o755 });
    expect(resolveCommand(`${directory}/tool`, { PATH: '' })).toBe(`${directory}/tool`);
  });

  it('searches the usual directories without a PATH', () => {
    expect(resolveCommand('sh', {})).toMatch(/\/sh$/);
  });

  it.each(['no-such-command', './no/such/file', '', '/etc/passwd/tool'])('finds no %j', (name) => {
    const failure = failureOf(() => resolveCommand(name, process.env));
    expect(failure.code).toBe('FAILOVER_COMMAND_NOT_FOUND');
    expect(failure.exitCode).toBe(127);
    expect(failure.message).toContain(name === '' ? '""' : name);
  });

  it('refuses a directory and a file that may not be run, by name', () => {
    const directory = workloadDirectory();
    const file = join(directory, 'data');
    writeFileSync(file, '');
    chmodSync(file, 0o644);
    for (const name of [directory, file]) {
      const failure = failureOf(() => resolveCommand(name, process.env));
      expect(failure.code).toBe('FAILOVER_COMMAND_NOT_EXECUTABLE');
      expect(failure.exitCode).toBe(126);
      expect(failure.message).toContain(name);
      expect(failure.hint.includes('chmod +x')).toBe(name === file);
    }
  });

  it('prefers a later program to an earlier file that may not be run', () => {
    const directory = workloadDirectory();
    mkdirSync(join(directory, 'first'));
    mkdirSync(join(directory, 'second'));
    writeFileSync(join(directory, 'first', 'tool'), '', { mode: 0o644 });
    writeFileSync(join(directory, 'second', 'tool'), '', { mode: 0o755 });
    const environment = { PATH: `${directory}/first:${directory}/second` };
    expect(resolveCommand('tool', environment)).toBe(`${directory}/second/tool`);
  });
});
