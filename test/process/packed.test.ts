// The package as it is published: unpacked beside programs that import and require it, which compile, run and take over.
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { until } from '../support/until.ts';

const ROOT = join(import.meta.dirname, '../..');
const LIMIT_MS = 60_000;

let project = '';

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'fo-packed-'));
  unpackInto(join(project, 'node_modules'));
  cpSync(join(ROOT, 'docs', 'examples'), project, { recursive: true });
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
  const include = ['*.ts'];
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include }));
});

afterAll(() => {
  rmSync(project, { recursive: true, force: true });
});

const compilerOptions = {
  ...{ target: 'es2022', lib: ['es2023', 'esnext.disposable'], module: 'nodenext' },
  ...{ types: ['node'], strict: true, exactOptionalPropertyTypes: true },
  ...{ noUncheckedIndexedAccess: true, skipLibCheck: false },
};

it('the examples compile against it, under the strictest settings', () => {
  const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
  const args = [join(typescript, 'bin', 'tsc'), '-p', project, '--pretty', 'false'];
  const { stdout, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect([stdout, status]).toEqual(['', 0]);
});

it('of two schedulers one ticks; when it is killed the other does, at the next epoch', async () => {
  const state = join(project, 'schedulers');
  const first = start('scheduler.js', state);
  await until('the first to tick', () => first.text().includes('tick 1'), LIMIT_MS);
  const second = start('scheduler.js', state);
  first.child.kill('SIGKILL');
  await until('the second to tick', () => second.text().includes('tick 2'), LIMIT_MS);
  await until('its role', () => second.text().includes('candidate -> primary 2\n'), LIMIT_MS);
  expect(second.text()).not.toContain('tick 1');
  second.child.kill('SIGTERM');
  expect(await second.ended).toBe(0);
  expect(second.text()).toMatch(/^\w+ -> stopped 2$/m);
});

it('a supervisor that imports it is followed by one that requires it', async () => {
  const state = join(project, 'supervisors');
  const command = ['sh', '-c', 'echo "active $FAILOVER_EPOCH"; exec sleep 1000'];
  const imports = start('supervisor.js', state, ...command);
  await until('its command', () => imports.text().includes('active 1\n'), LIMIT_MS);
  const requires = start('supervisor.cjs', state, ...command);
  imports.child.kill('SIGTERM');
  expect(await imports.ended).toBe(0);
  await until('the next command', () => requires.text().includes('active 2\n'), LIMIT_MS);
  requires.child.kill('SIGTERM');
  expect(await requires.ended).toBe(0);
  expect([imports.text(), requires.text()].join('')).not.toContain('Warning');
});

it('a mistake is told as an error with a code, from both', async () => {
  for (const program of ['supervisor.js', 'supervisor.cjs']) {
    const { text, ended } = start(program, join(project, 'mistake'), 'no-such-program');
    expect(await ended).toBe(127);
    expect(text()).toMatch(/^FAILOVER_COMMAND_NOT_FOUND: .*no-such-program/);
  }
});

/** What `npm publish` would publish, and what it depends on. */
function unpackInto(modules: string): void {
  const own = join(modules, 'failover-cli');
  mkdirSync(own, { recursive: true });
  const packed = run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', project]);
  const [{ filename }] = JSON.parse(packed) as [{ readonly filename: string }]; // npm's own form
  run('tar', ['-xzf', join(project, filename), '-C', own, '--strip-components', '1']);
  // Also a form that npm has checked.
  const { dependencies } = JSON.parse(readFileSync(join(own, 'package.json'), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  for (const name of [...Object.keys(dependencies), '@types/node']) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }
}

function run(command: string, args: readonly string[]): string {
  const { stdout, stderr, status } = spawnSync(command, args, { cwd: ROOT, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} has failed: ${stderr}`);
  return stdout;
}

interface Program {
  readonly child: ChildProcess;
  /** What it has printed, all of it. */
  readonly text: () => string;
  readonly ended: Promise<number | null>;
}

function start(program: string, ...args: readonly string[]): Program {
  const child = spawn(process.execPath, [program, ...args], { cwd: project });
  onTestFinished(() => void child.kill('SIGKILL'));
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
  }
  const ended = new Promise<number | null>((resolve) => {
    child.on('close', resolve);
  });
  return { child, text: () => text, ended };
}
