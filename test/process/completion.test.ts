// Completion in the shells themselves: a line is typed with its tabs, and what the shell made of it is what is called.
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ownIdentity } from '../../src/fence/process-identity.ts';
import { record } from '../cli/support/snapshot.ts';
import { LAUNCHER } from '../support/process-node.ts';
import { lackOfProgram } from '../support/programs.ts';
import { until } from '../support/until.ts';

let directory = '';

/** A group with a node that lives, as far as anybody can see: this process. No node has to be started for it. */
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'fo-completion-'));
  const nodes = join(directory, 'state', 'web', 'nodes');
  mkdirSync(nodes, { recursive: true });
  const living = record('blue', { supervisor: ownIdentity() });
  writeFileSync(join(nodes, 'run-blue.json'), JSON.stringify(living));
  writeFileSync(join(nodes, 'run-black.json'), JSON.stringify(record('black')));
  mkdirSync(join(directory, 'here'));
  writeFileSync(join(directory, 'here', 'node.key'), '');
  mkdirSync(join(directory, 'bin'));
  const shim = join(directory, 'bin', 'failover');
  const script = `#!/bin/sh
case $1 in
  __complete | completion) exec "${process.execPath}" "${LAUNCHER}" "$@" ;;
  *) echo "$*" >>"${calls()}" ;;
esac
`;
  writeFileSync(shim, script);
  chmodSync(shim, 0o755);
});

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** What is typed, and what is called then. */
const LINES: readonly (readonly [typed: string, called: string])[] = [
  ['failover stat\t', 'status'],
  ['failover status --wa\t', 'status --watch'],
  ['failover status --group w\t', 'status --group web'],
  ['failover status --group=w\t', 'status --group=web'],
  // One that lives: the other has ended.
  ['failover promote -g web bl\t', 'promote -g web blue'],
  ['failover run --standby=h\t', 'run --standby=hot'],
  ['failover wait --role s\t', 'wait --role secondary'],
  ['failover keygen --out no\t', 'keygen --out node.key'],
  ['failover run -- cat no\t', 'run -- cat node.key'],
  // Nothing is made of what it does not know.
  ['failover status --nonsense x\t', 'status --nonsense x'],
];

interface Shell {
  readonly name: string;
  readonly command: string;
  /** What is typed before the lines. */
  readonly begin: readonly string[];
}

const PROMPT = 'READY> ';

const SHELLS: readonly Shell[] = [
  {
    name: 'bash',
    command: 'bash --norc --noprofile -i',
    begin: ['source <(failover completion bash)', `PS1='READY''> '`],
  },
  {
    name: 'zsh',
    command: 'zsh -f -i',
    begin: [
      'autoload -U compinit && compinit -D -u && source <(failover completion zsh)',
      `PS1='READY''> '`,
    ],
  },
  {
    name: 'fish',
    command: 'fish --no-config -i',
    begin: [`failover completion fish | source; function fish_prompt; echo 'READY''> '; end`],
  },
];

it.for(SHELLS)('completes in $name', async ({ name, command, begin }, { skip }) => {
  const lack = lackOfProgram(name);
  if (lack !== null) skip(lack);
  writeFileSync(calls(), '');
  const shell = spawn(
    'script',
    ['-qefc', `stty rows 40 columns 160; exec ${command}`, '/dev/null'],
    {
      cwd: join(directory, 'here'),
      env: {
        ...process.env,
        PATH: [join(directory, 'bin'), process.env['PATH'] ?? ''].join(delimiter),
        ...{ HOME: directory, TERM: 'xterm', HISTFILE: '/dev/null' },
        FAILOVER_STATE_DIR: join(directory, 'state'),
      },
      stdio: 'pipe',
    },
  );
  let shown = '';
  shell.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()));
  const called = (): readonly string[] => readFileSync(calls(), 'utf8').split('\n').slice(0, -1);
  const type = async (text: string, what: string, isDone: () => boolean): Promise<void> => {
    const from = shown.length;
    shell.stdin.write(`${text}\r`);
    await until(`${what}; the terminal shows:\n${shown.slice(-2000)}`, () => {
      return isDone() && shown.slice(from).includes(PROMPT);
    });
  };
  try {
    const [first = '', ...others] = begin;
    for (const line of others) shell.stdin.write(`${first}\r${line}\r`);
    if (others.length === 0) shell.stdin.write(`${first}\r`);
    await until('the shell', () => shown.includes(PROMPT));
    for (const [place, [typed]] of LINES.entries()) {
      await type(typed, `what ${typed} calls`, () => called().length > place);
    }
    expect(called().map((line) => line.trim())).toEqual(LINES.map(([, call]) => call));
  } finally {
    shell.kill('SIGKILL');
    shell.stdin.destroy();
  }
});

function calls(): string {
  return join(directory, 'calls');
}
