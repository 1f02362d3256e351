// The unit that `failover systemd` prints: its words as systemd reads them, its times, and what systemd says of it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import { FailoverError } from '../../src/errors.ts';
import { execWord } from '../../src/systemd/quote.ts';
import { lackOfProgram } from '../support/programs.ts';

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** What the command prints. */
async function unit(...args: readonly string[]): Promise<string> {
  let printed = '';
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  try {
    await runProgram(['systemd', ...args]);
  } finally {
    write.mockRestore();
  }
  return printed;
}

function settingsOf(text: string): ReadonlyMap<string, string> {
  const lines = text.split('\n').filter((line) => /^[A-Z]\w+=/.test(line));
  return new Map(lines.map((line) => [line.replace(/=.*/, ''), line.replace(/^\w+=/, '')]));
}

describe('a word of a command line', () => {
  it.each([
    ['server.js', 'server.js'],
    ['--ready-when=tcp://127.0.0.1:80', '--ready-when=tcp://127.0.0.1:80'],
    ['100%', '100%%'],
    ['$HOME', '$$HOME'],
    ['${HOME}', '"$${HOME}"'],
    ['a b', '"a b"'],
    ['', '""'],
    [';', '";"'],
    ['say "hi"', String.raw`"say \"hi\""`],
    [String.raw`C:\x`, String.raw`"C:\\x"`],
    ["it's", `"it's"`],
    ['grün', '"grün"'],
    ['#no comment', '"#no comment"'],
  ])('%s is written %s', (word, written) => {
    expect(execWord(word)).toBe(written);
  });

  it.each(['two\nlines', 'a\0b', 'tab\there'])('%j can not be written', (word) => {
    expect(() => execWord(word)).toThrow(/has a line break or another control character/);
  });
});

describe('a unit', () => {
  it('runs this node with these options, by absolute paths', async () => {
    vi.stubEnv('FAILOVER_STOP_GRACE', '3s');
    const words = [
      '--group',
      'web',
      '--preempt',
      '--strategy',
      'priority',
      '--',
      'sh',
      '-c',
      'x $Y',
    ];
    const settings = settingsOf(await unit(...words));
    const launcher = join(import.meta.dirname, '..', '..', 'bin', 'failover.js');
    expect(settings.get('ExecStart')).toMatch(
      new RegExp(
        `^${process.execPath} ${launcher} run --group=web --strategy=priority --preempt -- /\\S+/sh -c "x \\$\\$Y"$`,
      ),
    );
    expect(settings.get('WorkingDirectory')).toBe(process.cwd());
    expect(settings.get('Type')).toBe('notify');
    // What is set in this shell is nothing for the node.
    expect(settings.get('TimeoutStopSec')).toBe('30s');
  });

  it.each([
    [['--stop-grace', '1m', '--drain', '20s', '--demote-timeout', '3s'], '88s'],
    [['--lease', 'redis://localhost', '--lease-ttl', '9s'], '40s'],
    [['--environment-file', 'secrets'], '34s'],
  ])('with %j waits for an end in order', async (flags, time) => {
    expect(settingsOf(await unit(...flags, '--', 'true')).get('TimeoutStopSec')).toBe(time);
  });

  it('with --restart never takes no exit code of the command for one of its own', async () => {
    const usual = settingsOf(await unit('--restart', 'on-failure', '--', 'true'));
    expect(usual.get('RestartPreventExitStatus')).toBe('2 4 126 127');
    const once = await unit('--restart', 'never', '--', 'true');
    expect(settingsOf(once).has('RestartPreventExitStatus')).toBe(false);
    expect(once).toContain(
      '# With --restart never the node exits with the exit code of its command',
    );
  });

  it('says why it is not told where the binding is not there, and wants no sign of life', async () => {
    vi.doMock('../../src/systemd/service-manager.ts', () => {
      throw new Error('Cannot find module');
    });
    try {
      const text = await unit('--', 'true');
      const settings = settingsOf(text);
      expect(settings.get('Type')).toBe('exec');
      expect(
        ['NotifyAccess', 'WatchdogSec', 'WatchdogSignal'].filter((name) => settings.has(name)),
      ).toEqual([]);
      expect(text).toContain('# Not Type=notify');
    } finally {
      vi.doUnmock('../../src/systemd/service-manager.ts');
    }
    expect(settingsOf(await unit('--', 'true')).get('WatchdogSec')).toBe('30s');
  });

  it('for another user has directories of that user', async () => {
    const text = await unit('--run-as', 'web', '--', 'true');
    expect(text).toContain('--state-dir=/var/lib/failover-web');
    expect(text).toContain('Environment=XDG_RUNTIME_DIR=/run/failover-web');
    const settings = settingsOf(text);
    expect(settings.get('StateDirectory')).toBe('failover-web');
    expect(settings.get('RuntimeDirectory')).toBe('failover-web');
    expect(settings.get('User')).toBe('web');
  });

  it.each([[[]], [['--state-dir', '/mnt/all', '--lease-ttl', '9s']]])(
    'for another user with %j keeps what is of this machine out of a home that may not be there',
    async (flags) => {
      const text = await unit('--run-as', 'web', ...flags, '--', 'true');
      expect(text).toContain('Environment=XDG_STATE_HOME=/var/lib/failover-web\n');
      expect(settingsOf(text).get('StateDirectory')).toBe('failover-web');
    },
  );

  it('of root has a directory of its own beside one that is shared', async () => {
    const settings = settingsOf(
      await unit('--state-dir', '/mnt/all', '--lease-ttl', '9s', '--', 'true'),
    );
    expect(settings.get('StateDirectory')).toBe('failover');
  });

  it('for the manager of a user needs none, and is wanted by its default target', async () => {
    const settings = settingsOf(await unit('--user', '--', 'true'));
    expect(settings.has('StateDirectory')).toBe(false);
    expect(settings.has('ProtectKernelModules')).toBe(false);
    expect(settings.get('WantedBy')).toBe('default.target');
  });

  it.each([
    [['--lease', 'redis://u:hidden@localhost', '--', 'true'], 'FAILOVER_USAGE'],
    [['--user', '--run-as', 'web', '--', 'true'], 'FAILOVER_USAGE'],
    [['--run-as', 'a b', '--', 'true'], 'FAILOVER_BAD_OPTION'],
    [['--', 'sh', '-c', 'a\nb'], 'FAILOVER_USAGE'],
    [['--', 'no-such-program-here'], 'FAILOVER_COMMAND_NOT_FOUND'],
    [['--group', 'web'], 'FAILOVER_USAGE'],
    [['--heartbeat-timeout', '1ms', '--', 'true'], 'FAILOVER_BAD_OPTION'],
  ])('with %j is refused', async (args, code) => {
    const failed = await unit(...args).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(FailoverError);
    expect(failed).toMatchObject({ code });
    expect(String(failed)).not.toContain('hidden');
  });
});

const lackOfSystemd = lackOfProgram('systemd-analyze');

describe('systemd', () => {
  it.for([
    ['of root', 'system', ['--', 'sh', '-c', 'echo "100%" $HOME; true', ';']],
    ['of another user', 'system', ['--run-as', 'daemon', '--', 'true']],
    ['with a lease on a server', 'system', ['--lease', 'redis://localhost', '--', 'true']],
    ['of a user', 'user', ['--user', '--', 'true']],
  ] as const)('finds nothing wrong with a unit %s', async ([, manager, args], { skip }) => {
    // Debian: apt-get install systemd. Nothing of it has to run.
    if (lackOfSystemd !== null) skip(lackOfSystemd);
    const directory = mkdtempSync(join(tmpdir(), 'fo-unit-'));
    try {
      const path = join(directory, 'failover-web.service');
      writeFileSync(path, await unit('--group', 'web', ...args));
      const env = { ...process.env, XDG_RUNTIME_DIR: directory };
      const words = [`--${manager}`, 'verify', path];
      const verified = spawnSync('systemd-analyze', words, { encoding: 'utf8', env });
      // Of other units of this machine it may say something too.
      expect(verified.stderr.split('\n').filter((line) => line.includes('failover-web'))).toEqual(
        [],
      );
      expect(verified.stdout).toBe('');
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
