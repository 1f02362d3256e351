// What a user gets to read, and what the process exits with.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { reportFailure } from '../../src/cli/failure.ts';
import { main } from '../../src/cli/main.ts';
import { ERRORS, FailoverError, isErrorCode } from '../../src/errors.ts';
import { packageVersion } from '../../src/version.ts';
import { captureOutput } from '../support/captured-output.ts';

const output = captureOutput();

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('the command line', () => {
  it.each(['--version', '-V'])('%s prints the version', async (flag) => {
    await main(['node', 'failover', flag]);
    expect(output.stdout).toBe(`${packageVersion()}\n`);
    expect(process.exitCode).toBeUndefined();
  });

  it('--help prints commands, examples and exit codes', async () => {
    await main(['node', 'failover', '--help']);
    expect(output.stdout).toMatch(/Commands:[^]*Examples:[^]*Exit codes:/);
    expect(process.exitCode).toBeUndefined();
  });

  it('without a command prints the help on stderr and exits with 2', async () => {
    await main(['node', 'failover']);
    expect(output.stderr).toContain('Commands:');
    expect(output.stdout).toBe('');
    expect(process.exitCode).toBe(2);
  });

  it('with a wrong flag says so, suggests the right one, and exits with 2', async () => {
    await main(['node', 'failover', 'status', '--jsn']);
    expect(output.stderr).toBe(
      "failover: Cannot read the command line: unknown option '--jsn'\n" +
        'Did you mean `--json`? Run `failover status --help` for help.\n',
    );
    expect(process.exitCode).toBe(2);
  });
});

describe('a failure', () => {
  it.each(Object.keys(ERRORS).filter(isErrorCode))('%s exits with its own code', (code) => {
    reportFailure(new FailoverError(code, 'Cannot do it'));
    expect(process.exitCode).toBe(ERRORS[code].exitCode);
    expect(output.stderr).toMatch(/^failover: Cannot do it\n.+\n$/);
  });

  it('that nobody expected exits with 1 and shows no stack trace', () => {
    vi.stubEnv('FAILOVER_DEBUG', undefined);
    reportFailure(new TypeError('x is not a function'));
    expect(process.exitCode).toBe(1);
    expect(output.stderr).toContain('Unexpected failure: x is not a function');
    expect(output.stderr).not.toMatch(/\n\s+at /);
  });

  it('shows its stack trace to who asks for it', () => {
    vi.stubEnv('FAILOVER_DEBUG', '1');
    reportFailure(new TypeError('x is not a function'));
    expect(output.stderr).toMatch(/\n\s+at /);
  });
});
