// The witness itself: whether compiled or a script, it sees two at once, and knows when one has ended.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  compiledWitness,
  faultsOf,
  readWitness,
  SCRIPTED_WITNESS,
} from '../support/process-witness.ts';
import { until } from '../support/until.ts';

const PROGRAMS = [compiledWitness(), SCRIPTED_WITNESS].filter((program) => program !== null);

describe.each(PROGRAMS)('%s', (program) => {
  it('sees one that begins while another is active, and tells who', async () => {
    const stage = new Stage(program);
    await stage.begins(1);
    const second = await stage.begins(2);
    expect(stage.lines.map(({ what }) => what)).toStrictEqual(['start', 'overlap']);
    expect(faultsOf(stage.lines)).toStrictEqual([
      `pid ${second.pid} began epoch 2 while another was active`,
    ]);
  });

  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'takes the next one after a %s for well',
    async (end) => {
      const stage = new Stage(program);
      const first = await stage.begins(1);
      await stage.ends(first, end);
      await stage.begins(2);
      const expected = end === 'SIGTERM' ? ['start', 'end', 'start'] : ['start', 'start'];
      expect(stage.lines.map(({ what }) => what)).toStrictEqual(expected);
      expect(faultsOf(stage.lines)).toStrictEqual([]);
    },
  );

  it('finds an epoch that comes twice', async () => {
    const stage = new Stage(program);
    await stage.ends(await stage.begins(1), 'SIGKILL');
    await stage.begins(1);
    expect(faultsOf(stage.lines)).toHaveLength(1);
  });

  it('is active when it is told and idle when it is told, if it is hot', async () => {
    const stage = new Stage(program);
    writeFileSync(stage.path('role'), '{"role":"primary","epoch":5}');
    const env = { FAILOVER_ROLE: 'secondary', FAILOVER_ROLE_FILE: stage.path('role') };
    const hot = stage.start(['--hot'], env);
    await until('it to stand by', () => stage.lines.length === 1);
    hot.kill('SIGUSR1');
    await until('its start', () => stage.lines.length === 2);
    hot.kill('SIGUSR2');
    await until('its end', () => stage.lines.length === 3);
    await stage.begins(6);
    expect(stage.lines.map(({ what, epoch }) => [what, epoch])).toStrictEqual([
      ['standby', 0],
      ['start', 5],
      ['end', 5],
      ['start', 6],
    ]);
  });

  it('ends by itself with the code that it was given, and ignores what it is to ignore', async () => {
    const stage = new Stage(program);
    const brief = stage.start(['--exit-after-ms', '0', '--exit-code', '42'], {});
    await until('its end', () => brief.exitCode !== null);
    expect(brief.exitCode).toBe(42);
    const stubborn = stage.start(['--ignore-term'], { FAILOVER_EPOCH: '2' });
    await until('its start', () => stage.lines.length === 3);
    stubborn.kill('SIGTERM');
    await until('the word of it', () => stage.lines.at(-1)?.what === 'ignored');
  });
});

it('uses nothing of what it watches', () => {
  for (const name of ['process-witness.c', 'process-witness.pl']) {
    const source = readFileSync(join(import.meta.dirname, '..', 'support', name), 'utf8');
    expect(source).toContain('flock');
    expect(source).not.toMatch(/fs-native|fcntl\(.*F_OFD/);
  }
});

/** A directory in which witnesses run, all of which end with the test. */
class Stage {
  readonly #directory = mkdtempSync(join(tmpdir(), 'fo-witness-'));
  readonly #program: string;

  constructor(program: string) {
    this.#program = program;
    onTestFinished(() => {
      rmSync(this.#directory, { recursive: true, force: true });
    });
  }

  get lines(): ReturnType<typeof readWitness> {
    return readWitness(this.#directory);
  }

  path(name: string): string {
    return join(this.#directory, name);
  }

  start(args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
    const child = spawn(this.#program, args, {
      env: { PATH: process.env['PATH'], WITNESS_DIR: this.#directory, ...env },
      stdio: 'ignore',
    });
    onTestFinished(() => this.ends(child, 'SIGKILL'));
    return child;
  }

  async begins(epoch: number): Promise<ChildProcess> {
    const child = this.start([], { FAILOVER_EPOCH: String(epoch) });
    await until('its first line', () => this.lines.some(({ pid }) => pid === child.pid));
    return child;
  }

  async ends(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
    child.kill(signal);
    await until('its end', () => child.exitCode !== null || child.signalCode !== null);
  }
}
