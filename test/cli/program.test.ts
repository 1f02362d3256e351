// The command line as it is parsed: names, precedence, what is passed on, and what is refused.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createProgram, runProgram } from '../../src/cli/program.ts';
import type { RunOptions } from '../../src/config/load.ts';
import { OPTIONS } from '../../src/config/options.ts';
import { FailoverError } from '../../src/errors.ts';

const { run, status, promote, waitFor } = vi.hoisted(() => ({
  run: vi.fn<(options: RunOptions) => Promise<void>>(() => Promise.resolve()),
  status: vi.fn<(options: unknown) => Promise<void>>(() => Promise.resolve()),
  promote: vi.fn<(options: unknown) => Promise<void>>(() => Promise.resolve()),
  waitFor: vi.fn<(options: unknown) => Promise<void>>(() => Promise.resolve()),
}));

vi.mock('../../src/cli/commands/run.ts', () => ({ run }));
vi.mock('../../src/cli/commands/status.ts', () => ({ status }));
vi.mock('../../src/cli/commands/promote.ts', () => ({ promote }));
vi.mock('../../src/cli/commands/wait.ts', () => ({ waitFor }));

beforeEach(() => {
  for (const { variable } of OPTIONS) vi.stubEnv(variable, undefined);
});

afterEach(() => {
  vi.unstubAllEnvs();
  vi.clearAllMocks();
  process.exitCode = undefined;
});

describe('run', () => {
  it('passes everything after -- to the workload, untouched', async () => {
    await runProgram(['run', '-g', 'web', '--', 'node', 'x.js', '--group', 'other', '--', '-h']);
    expect(run.mock.lastCall?.[0]).toMatchObject({
      group: 'web',
      command: ['node', 'x.js', '--group', 'other', '--', '-h'],
    });
  });

  it('passes the flags of a workload on without -- as well', async () => {
    await runProgram(['run', '--group', 'web', 'sleep', '--version']);
    expect(run.mock.lastCall?.[0]).toMatchObject({ group: 'web', command: ['sleep', '--version'] });
  });

  it('takes a flag before the environment, and the environment before the default', async () => {
    vi.stubEnv('FAILOVER_STOP_GRACE', '3s');
    await runProgram(['run', '--', 'true']);
    await runProgram(['run', '--stop-grace', '4s', '--', 'true']);
    vi.stubEnv('FAILOVER_STOP_GRACE', '');
    await runProgram(['run', '--', 'true']);
    expect(run.mock.calls.map(([options]) => options.stopGraceMs)).toEqual([3000, 4000, 10_000]);
  });

  it('does not take its group from the environment that a hook inherits', async () => {
    vi.stubEnv('FAILOVER_GROUP', 'parent');
    await runProgram(['run', '--', 'true']);
    expect(run.mock.lastCall?.[0].group).toBe('default');
  });

  it.each(OPTIONS)('has the flag $flag, with its sentence in the help', ({ flag, sentence }) => {
    const command = createProgram().commands.find((candidate) => candidate.name() === 'run');
    const option = command?.options.find(({ long }) => long === flag);
    expect(option?.description).toContain(sentence);
  });

  it('has its options under headings, first those that everybody needs', () => {
    const headings = helpText('run').match(/^[A-Z].*:$/gm);
    expect(headings).toEqual([
      'Arguments:',
      'Options:',
      'Command and hooks:',
      'Health checks:',
      'Takeover:',
      'Failure detection:',
      'Lease timing:',
      'Peers lease:',
      'Network:',
      'Example:',
      'On several machines without a server, with the same secret and command on each:',
      'Exit codes:',
    ]);
  });

  it('reads a variable for each option but the first four', () => {
    const unread = OPTIONS.filter(({ variableReadBy }) => !variableReadBy.includes('run'));
    expect(unread).toEqual(OPTIONS.slice(0, 4));
    expect(helpText('run')).toContain('Every option except the first four');
  });

  it('refuses to run nothing', async () => {
    const failure = await refused(['run', '--group', 'web']);
    expect(failure.exitCode).toBe(2);
    expect(run).not.toHaveBeenCalled();
  });
});

/** The commands that take no group. */
const OF_NO_GROUP = ['systemd', 'demo', 'simulate', 'keygen', 'completion', 'up', 'init'];

describe('the other commands', () => {
  it('take the group of the environment, and a flag before it', async () => {
    vi.stubEnv('FAILOVER_GROUP', 'web');
    vi.stubEnv('FAILOVER_STATE_DIR', '/state');
    await runProgram(['status', '--json']);
    await runProgram(['status', '-g', 'api']);
    expect(status.mock.calls.map(([options]) => options)).toEqual([
      { group: 'web', stateDir: '/state', json: true, watch: false, search: null },
      { group: 'api', stateDir: '/state', json: false, watch: false, search: null },
    ]);
  });

  it('say where they are about all groups if none is named', () => {
    const defaults = createProgram().commands.flatMap((command) => {
      const { description = '' } = command.options.find(({ long }) => long === '--group') ?? {};
      const value = /\(default: (.*)\)/.exec(description)?.[1];
      return value === undefined ? [] : [[command.name(), value] as const];
    });
    const ofAll = defaults.filter(([, value]) => value === 'all groups of the state directory');
    expect(ofAll.map(([name]) => name)).toEqual(['status', 'dashboard']);
    expect(new Set(defaults.map(([, value]) => value)).size).toBe(2);
  });

  it('take a node, flags on both sides of it, and a time', async () => {
    await runProgram(['promote', '--force', 'b', '--timeout', '1m30s']);
    expect(promote.mock.lastCall?.[0]).toMatchObject({ node: 'b', force: true, timeoutMs: 90_000 });
    await runProgram(['wait', '--role', 'secondary', '--timeout', '0']);
    expect(waitFor.mock.lastCall?.[0]).toMatchObject({
      node: null,
      role: 'secondary',
      timeoutMs: 0,
    });
  });

  it('each have --group, --state-dir and a help with an example and exit codes', () => {
    for (const command of createProgram().commands) {
      const help = helpText(command.name());
      expect(help).toContain(`$ failover ${command.name()}`);
      expect(help).toMatch(/Exit codes:\n {2}0 .*\n {2}1 .*\n {2}2 /);
      if (!OF_NO_GROUP.includes(command.name())) expect(help).toMatch(/-g, --group[^]*--state-dir/);
    }
  });

  it('each say which variables stand for the flags that they have', () => {
    for (const name of clients()) {
      const help = helpText(name);
      expect(help).toMatch(/FAILOVER_GROUP[^]*FAILOVER_STATE_DIR/);
      expect([name, help.includes('FAILOVER_LEASE')]).toEqual([name, help.includes('--lease <')]);
    }
  });

  it('can be asked for help in words', async () => {
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    await runProgram(['help', 'wait']);
    const printed = write.mock.calls.map(([text]) => String(text)).join('');
    write.mockRestore();
    expect(printed).toBe(helpText('wait'));
    expect(process.exitCode).toBeUndefined();
  });
});

describe('what is refused', () => {
  it.each([
    [['status', '--grup', 'x'], "unknown option '--grup'", '--group'],
    [
      ['run', '--heartbeat-intervall', '1s', '--', 'true'],
      'heartbeat-intervall',
      '--heartbeat-interval',
    ],
    [['statsu'], "unknown command 'statsu'", 'status'],
    [['promote', 'a', 'b'], 'too many arguments', 'failover promote --help'],
    [['status', '--group'], 'argument missing', 'failover status --help'],
    [['runn'], "unknown command 'runn'", 'Did you mean `run`?'],
    [['stat'], "unknown command 'stat'", 'Did you mean one of `status`, `stop`?'],
    [['help', 'statuss'], "unknown command 'statuss'", 'Did you mean `status`?'],
    [['xyz'], "unknown command 'xyz'", 'failover --help'],
    [['run', '--grup', 'x', '--', 'true'], "unknown option '--grup'", 'Did you mean `--group`?'],
    [['wait', '--role', 'boss'], '--role', 'primary or secondary'],
    [['wait', '--timeout', 'soon'], '--timeout', 'duration'],
    [['status', '--group', 'a/b'], '--group', 'characters'],
    [['promote', 'a b'], 'NODE', 'characters'],
    [['run', '--role', 'boss', '--', 'true'], '--role', 'auto, primary, secondary'],
  ])('%j: exit code 2, the fault named, and what to do', async (args, fault, advice) => {
    const failure = await refused(args);
    expect(failure.exitCode).toBe(2);
    expect(failure.message).toContain(fault);
    expect(failure.hint).toContain(advice);
  });
});

function clients(): readonly string[] {
  const names = createProgram().commands.map((command) => command.name());
  return names.filter((name) => name !== 'run' && !OF_NO_GROUP.includes(name));
}

function helpText(name: string): string {
  const command = createProgram().commands.find((candidate) => candidate.name() === name);
  let help = '';
  command?.configureOutput({ writeOut: (text) => (help += text) });
  command?.outputHelp();
  return help;
}

async function refused(args: readonly string[]): Promise<FailoverError> {
  try {
    await runProgram(args);
  } catch (error) {
    if (error instanceof FailoverError) return error;
    throw error;
  }
  throw new Error('expected the command line to be refused');
}
