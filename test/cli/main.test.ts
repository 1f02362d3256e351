// What a user gets to read, and what the process exits with.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { reportFailure } from '../../src/cli/failure.ts';
import { main } from '../../src/cli/main.ts';
import { ERRORS, FailoverError, isErrorCode } from '../../src/errors.ts';
import { packageVersion } from '../../src/version.ts';

let stdout = '';
let stderr = '';

beforeEach(() => {
  [stdout, stderr] = ['', ''];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    stdout += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += String(text);
    return true;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  process.exitCode = undefined;
});

describe('the command line', () => {
  it.each(['--version', '-V'])('%s prints the version', async (flag) => {
    await main(['node', 'failover', flag]);
    expect(stdout).toBe(`${packageVersion()}\n`);
    expect(process.exitCode).toBeUndefined();
  });

  it('--help prints commands, examples and exit codes', async () => {
    await main(['node', 'failover', '--help']);
    expect(stdout).toMatch(/Commands:[^]*Examples:[^]*Exit codes:/);
    expect(process.exitCode).toBeUndefined();
  });

  it('without a command prints the help on stderr and exits with 2', async () => {
    await main(['node', 'failover']);
    expect(stderr).toContain('Commands:');
    expect(stdout).toBe('');
    expect(process.exitCode).toBe(2);
  });

  it('with a wrong flag says so, suggests the right one, and exits with 2', async () => {
    await main(['node', 'failover', 'status', '--jsn']);
    expect(stderr).toBe(
      "failover: Cannot read the command line: unknown option '--jsn'\n" +
        'Did you mean `--json`? Run `failover status --help` to see what there is.\n',
    );
    expect(process.exitCode).toBe(2);
  });
});

describe('a failure', () => {
  it.each(Object.keys(ERRORS).filter(isErrorCode))('%s exits with its own code', (code) => {
    reportFailure(new FailoverError(code, 'Cannot do it'));
    expect(process.exitCode).toBe(ERRORS[code].exitCode);
    expect(stderr).toMatch(/^failover: Cannot do it\n.+\n$/);
  });

  it('that nobody expected exits with 1 and shows no stack trace', () => {
    vi.stubEnv('FAILOVER_DEBUG', undefined);
    reportFailure(new TypeError('x is not a function'));
    expect(process.exitCode).toBe(1);
    expect(stderr).toContain('Unexpected failure: x is not a function');
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  it('shows its stack trace to who asks for it', () => {
    vi.stubEnv('FAILOVER_DEBUG', '1');
    reportFailure(new TypeError('x is not a function'));
    expect(stderr).toMatch(/\n\s+at /);
  });
});
