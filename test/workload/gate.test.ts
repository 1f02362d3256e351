import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  lives,
  pidFrom,
  superviseIn,
  TERM,
  textOf,
  workloadDirectory,
  workloadOf,
} from '../support/workload.ts';
import { until } from '../support/until.ts';

describe('the gate', () => {
  it('keeps the command from running until it is activated', async () => {
    const { workload, ledger, text } = await workloadOf('echo ran > $D/ran; sleep 100');
    await workload.arm();
    const armed = workload.describe();
    expect(armed.state).toBe('armed');
    expect(lives(armed.pid ?? 0)).toBe(true);
    expect(ledger).toMatchObject([[{ process: { pid: armed.pid }, active: false }]]);
    expect(text('ran')).toBe('');
    await workload.activate(TERM);
    await until('the command', () => text('ran') === 'ran\n');
    expect(workload.describe()).toMatchObject({ pid: armed.pid, state: 'running' });
    expect(ledger.at(-1)).toMatchObject([{ process: { pid: armed.pid }, active: true }]);
  });

  it('ends with nothing started when its supervisor is killed before it opens', async () => {
    const directory = workloadDirectory();
    const supervisor = await superviseIn(directory, {
      script: 'echo ran > $D/ran',
      standby: 'armed',
      orphan: 'keep',
    });
    const { pid } = await supervisor.ask('arm');
    expect(lives(pid ?? 0)).toBe(true);
    await supervisor.kill();
    await until('the end of the gate', () => !lives(pid ?? 0));
    expect(textOf(supervisor.path('ran'))).toBe('');
  });

  it('starts nothing when its supervisor is killed between the spawn and the record', async () => {
    const directory = workloadDirectory();
    const supervisor = await superviseIn(directory, {
      script: 'echo ran > $D/ran',
      holdsBack: true,
    });
    supervisor.send('activate');
    const { sessions } = await supervisor.message('spawned');
    const pid = sessions?.[0]?.process.pid ?? 0;
    expect(lives(pid)).toBe(true);
    await supervisor.kill();
    await until('the end of the gate', () => !lives(pid));
    expect(textOf(supervisor.path('ran'))).toBe('');
  });

  it('starts nothing that could not be recorded, and lets the lock go', async () => {
    const { workload, lock, text } = await workloadOf('echo ran > $D/ran', {
      ledger: {
        setSessions: () => {
          throw new Error('no space left');
        },
      },
    });
    await expect(workload.activate(TERM)).rejects.toThrow('no space left');
    await until('a free lock', () => lock.isFree());
    expect(text('ran')).toBe('');
  });

  it('hands over arguments, the lock as descriptor 3, and nothing on stdin', async () => {
    const script =
      'printf "%s|" "$@" > $0/arguments; cat; readlink /proc/self/fd/3 > $0/lock; echo > $0/done; sleep 100';
    const directory = workloadDirectory();
    const { workload, lock, text } = await workloadOf([
      'sh',
      '-c',
      script,
      directory,
      'a b',
      '',
      '*',
      "it's",
      'x\ny',
    ]);
    await workload.activate(TERM);
    await until('the command', () => textOf(`${directory}/done`));
    expect(textOf(`${directory}/arguments`)).toBe("a b||*|it's|x\ny|");
    expect(textOf(`${directory}/lock`)).toBe(`${lock.path}\n`);
    expect(lock.isFree()).toBe(false);
    expect(text('unused')).toBe('');
  });

  it('gives the environment of the supervisor, exactly, and that of the term', async () => {
    process.env['FAILOVER_TEST.dotted'] = 'two\nlines \\n and a backslash\\';
    process.env['-FAILOVER_TEST'] = 'no option';
    process.env['FAILOVER_EPOCH'] = '99';
    const target = workloadDirectory();
    const { workload, directory, heard } = await workloadOf([
      'cp',
      '/proc/self/environ',
      `${target}/env`,
    ]);
    try {
      await workload.activate({ epoch: 7, previous: null, reason: 'two\r\nlines; $(touch x) `y`' });
      await until('the command', () => heard.length > 0);
    } finally {
      delete process.env['FAILOVER_TEST.dotted'];
      delete process.env['-FAILOVER_TEST'];
      delete process.env['FAILOVER_EPOCH'];
    }
    const expected: NodeJS.ProcessEnv = {
      ...process.env,
      'FAILOVER_TEST.dotted': 'two\nlines \\n and a backslash\\',
      '-FAILOVER_TEST': 'no option',
      FAILOVER_GROUP: 'web',
      FAILOVER_NODE: 'a',
      FAILOVER_STATE_DIR: directory,
      FAILOVER_ROLE_FILE: `${directory}/role`,
      FAILOVER_LOCK_FD: '3',
      FAILOVER_HOOK: '',
      FAILOVER_ROLE: 'primary',
      FAILOVER_EPOCH: '7',
      FAILOVER_PREVIOUS: '',
      FAILOVER_REASON: 'two lines; $(touch x) `y`',
    };
    const pairs = textOf(`${target}/env`).split('\0').filter(Boolean);
    const found = Object.fromEntries(
      pairs.map((pair): [string, string] => {
        const [name = ''] = pair.split('=', 1);
        return [name, pair.slice(name.length + 1)];
      }),
    );
    expect(withoutShellsOwn(found)).toEqual(withoutShellsOwn(expected));
  });

  it('runs a program whose path has an =, whatever names the environment has', async () => {
    const directory = workloadDirectory();
    const program = `${directory}/a=b.sh`;
    writeFileSync(program, '#!/bin/sh\necho "script $*" > "${0%/*}/ran"\n', { mode: 0o755 });
    const other = `echo other > ${directory}/ran`;
    const { workload, heard } = await workloadOf([program, 'sh', '-c', other]);
    process.env['x-y'] = '1';
    try {
      await workload.activate(TERM);
      await until('the command', () => heard.length > 0);
    } finally {
      delete process.env['x-y'];
    }
    expect(textOf(`${directory}/ran`)).toBe(`script sh -c ${other}\n`);
  });

  it('names a command that is too long for the system', async () => {
    const { workload, lock } = await workloadOf(['echo', 'x'.repeat(200_000)]);
    await expect(workload.activate(TERM)).rejects.toMatchObject({
      code: 'FAILOVER_COMMAND_NOT_EXECUTABLE',
      message: 'Cannot start echo: E2BIG',
    });
    expect(lock.isFree()).toBe(true);
  });

  it('reports a process that ended while it waited', async () => {
    const { workload, heard } = await workloadOf('sleep 100');
    await workload.arm();
    process.kill(workload.describe().pid ?? 0, 'SIGKILL');
    await until('the report', () => heard.length > 0);
    expect(heard).toEqual(['disarmed: the standby process exited: died of SIGKILL']);
    await workload.arm();
    expect(workload.describe().state).toBe('armed');
  });
});

describe('a supervisor that is killed', () => {
  it('takes its workload along in order by default', async () => {
    const supervisor = await superviseIn(workloadDirectory(), {
      script: `trap 'echo TERM > $D/got; exit' TERM; echo $$ > $D/pid; while :; do sleep 0.05; done`,
    });
    await supervisor.ask('activate');
    const pid = await pidFrom(supervisor.path('pid'));
    await supervisor.kill();
    await until('the end of the workload', () => !lives(pid));
    expect(textOf(supervisor.path('got'))).toBe('TERM\n');
  });

  it('takes its workload along at once with `kill`', async () => {
    const supervisor = await superviseIn(workloadDirectory(), {
      script: `trap 'echo TERM > $D/got' TERM; echo $$ > $D/pid; while :; do sleep 0.05; done`,
      orphan: 'kill',
    });
    await supervisor.ask('activate');
    const pid = await pidFrom(supervisor.path('pid'));
    await supervisor.kill();
    await until('the end of the workload', () => !lives(pid));
    expect(textOf(supervisor.path('got'))).toBe('');
  });

  it('leaves its workload alone with `keep`, and the record says so', async () => {
    const supervisor = await superviseIn(workloadDirectory(), {
      script: 'echo $$ > $D/pid; while :; do echo x >> $D/beats; sleep 0.02; done',
      orphan: 'keep',
    });
    await supervisor.ask('activate');
    const pid = await pidFrom(supervisor.path('pid'));
    expect(JSON.parse(textOf(supervisor.path('sessions.json')))).toMatchObject([
      { process: { pid }, active: true, keep: true },
    ]);
    await supervisor.kill();
    const beats = textOf(supervisor.path('beats')).length;
    await until('further beats', () => textOf(supervisor.path('beats')).length > beats + 4);
    expect(lives(pid)).toBe(true);
  });

  it('takes its running hook along', async () => {
    const directory = workloadDirectory();
    const supervisor = await superviseIn(directory, {
      script: 'sleep 100',
      promoteCommand: `trap '' TERM; echo $$ > ${directory}/hook; while :; do sleep 0.05; done`,
    });
    await supervisor.ask('activate');
    supervisor.send('hook');
    const pid = await pidFrom(supervisor.path('hook'));
    await supervisor.kill();
    await until('the end of the hook', () => !lives(pid));
  });
});

/** Without what a shell sets for itself: the gate's, and that of whoever started the tests. */
function withoutShellsOwn(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own = ['_', 'SHLVL', 'PWD', 'OLDPWD'];
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !own.includes(name)));
}
