// What `failover simulate` prints, takes and exits with.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { reportFailure } from '../../../src/cli/failure.ts';
import { runProgram } from '../../../src/cli/program.ts';
import { drawPlan } from '../../../src/simulation/plan.ts';
import { readTranscript, writeTranscript } from '../../../src/simulation/transcript.ts';
import { journalOf, stepsOfALife } from '../../journal/support.ts';
import { captureOutput } from '../../support/captured-output.ts';

const output = captureOutput();
let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'failover-simulate-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

async function simulate(...args: readonly string[]): Promise<void> {
  await runProgram(['simulate', ...args]).catch(reportFailure);
}

/** Nobody is left who could lead: all promises but the one of a primary hold. */
function hopelessRun(): string {
  const plan = drawPlan({ seed: 1, nodes: 1, kinds: ['crash'] });
  const { profile } = plan;
  const settings = { ...profile.settings, heartbeatIntervalMs: 5e6, heartbeatTimeoutMs: 1e7 };
  const path = join(directory, 'hopeless.jsonl');
  const demote = { atMs: 50, kind: 'demote', node: 0, forMs: 1 } as const;
  writeFileSync(
    path,
    writeTranscript({ ...plan, profile: { ...profile, settings }, faults: [demote] }),
  );
  return path;
}

describe('failover simulate', () => {
  it('says what it did, and repeats it for the same seed', async () => {
    await simulate('--seed', '1', '--steps', '1000', '--faults', 'crash,stop');
    expect(output.stdout).toMatch(/^seed 1\n\d+ runs?, [\d,]+ steps, /);
    expect(output.stdout).toContain('Every guarantee held.');
    expect(output.stdout).toMatch(/^faults crash \d+, stop \d+$/m);
    expect(process.exitCode).toBeUndefined();
    const [digest] = /digest \w+/.exec(output.stdout) ?? [];
    output.stdout = '';
    await simulate('--seed', '1', '--steps', '1000', '--faults', 'stop, crash');
    await simulate('--seed', '1', '--steps', '1000', '--faults', 'crash,stop');
    expect(output.stdout).toContain(digest);
  });

  it('prints one object with --json', async () => {
    await simulate('--seed', '3', '--steps', '1', '--nodes', '2', '--faults', 'crash', '--json');
    expect(JSON.parse(output.stdout)).toMatchObject({ v: 1, seed: 3, runs: 1, violation: null });
  });

  it('takes a seed by chance, and says which', async () => {
    await simulate('--steps', '1', '--faults', 'crash');
    expect(output.stdout).toMatch(/^seed \d+\n/);
  });

  it('plays a transcript again, step by step', async () => {
    const path = join(directory, 'run.jsonl');
    const plan = drawPlan({ seed: 2, nodes: 2, kinds: ['crash'] });
    writeFileSync(path, writeTranscript(plan));
    await simulate('--replay', path);
    expect(output.stdout).toMatch(/ 0\.0 ms {2}a1 starts\n/);
    expect(output.stdout).toMatch(/fault: crash [ab] for /);
    expect(output.stdout).toMatch(/Every guarantee held\.\n$/);
    expect(readTranscript(readFileSync(path, 'utf8'))).toEqual(plan);
  });

  it('ends with 1 when a promise is broken', async () => {
    await simulate('--replay', hopelessRun());
    expect(output.stdout).toMatch(
      /BROKEN S4 \(there is a primary again within a bounded time\) at /,
    );
    expect(process.exitCode).toBe(1);
  });

  it.each([
    [['--seed', 'x'], 'Cannot use --seed: "x" is none', 'a whole number from 0'],
    [['--steps', '0'], 'Cannot use --steps: "0" is none', 'a whole number from 1'],
    [['--nodes', '51'], 'Cannot use --nodes: "51" is none', 'a whole number from 1 to 50'],
    [['--faults', 'crash,flood'], 'Cannot use --faults: "flood" is not a fault', 'crash, stop, '],
    [
      ['--faults', 'crash,store-cut'],
      'Cannot use --faults: "store-cut" is not a fault of a file lease',
      'crash, stop, ',
    ],
    [
      ['--lease', 'timed', '--faults', 'lost-race'],
      'Cannot use --faults: "lost-race" is not a fault of a timed lease',
      'store-cut, ',
    ],
    [['--lease', 'redis'], 'Cannot use --lease: "redis" is not a kind of lease', 'file or timed'],
    [['--save', '/nowhere/run'], 'Cannot use --save: ENOENT', 'a file that can be written'],
    [['--save', '/'], 'Cannot use --save: / is a directory', 'a file that can be written'],
    [['--replay', '/nowhere'], 'Cannot use --replay: ENOENT', 'a file written by --save'],
  ])('refuses %s by name', async (args, fact, hint) => {
    await simulate(...args);
    expect(output.stderr).toContain(fact);
    expect(output.stderr).toContain(hint);
    expect(process.exitCode).toBe(2);
  });

  it('simulates a lease with a time to live', async () => {
    await simulate('--seed', '1', '--steps', '1000', '--lease', 'timed', '--faults', 'store-cut');
    expect(output.stdout).toMatch(/^faults store-cut \d+$/m);
    expect(output.stdout).toContain('Every guarantee held.');
    expect(process.exitCode).toBeUndefined();
  });

  it('decides the journal of a node again, and says that this version decides the same', async () => {
    const path = join(directory, 'b1.jsonl');
    writeFileSync(path, journalOf(stepsOfALife(5, 200)));
    await simulate('--replay', path);
    expect(output.stdout).toMatch(
      /^Node b of group web, run b1, version 1\.0\.0: 200 events replayed, including \d+ transitions/,
    );
    expect(output.stdout).toMatch(/\nThis version, .*, decides the same\.\n$/);
    expect(process.exitCode).toBeUndefined();
  });

  it('ends with 1 where a journal was decided differently, and shows both sentences', async () => {
    const path = join(directory, 'b1.jsonl');
    const journal = journalOf(stepsOfALife(5, 200));
    const [, reason = ''] =
      /"reason":"(There is no primary at start; claiming the lease[^"]*)"/.exec(journal) ?? [];
    writeFileSync(path, journal.replace(`"reason":"${reason}"`, '"reason":"By the weather"'));
    await simulate('--replay', path);
    expect(output.stdout).toMatch(
      /^At transition 1 \(line \d+, event \d+: [a-z-]+, .*\) it decides diff/m,
    );
    expect(output.stdout).toMatch(/^ {2}recorded {6}acquiring: By the weather/m);
    expect(output.stdout).toContain(`  this version  acquiring: ${reason}`);
    expect(process.exitCode).toBe(1);
    output.stdout = '';
    await simulate('--replay', path, '--json');
    expect(JSON.parse(output.stdout)).toMatchObject({
      v: 1,
      same: false,
      divergences: [{ transition: 1 }],
    });
  });

  it('refuses a journal without a state to go on from', async () => {
    const path = join(directory, 'b1.jsonl');
    const [head = ''] = journalOf([]).split('\n');
    writeFileSync(path, head);
    await simulate('--replay', path);
    expect(output.stderr).toContain(`${path} cannot be replayed: it has no state`);
    expect(process.exitCode).toBe(2);
  });

  it('refuses a file that is no transcript', async () => {
    const path = join(directory, 'run.jsonl');
    writeFileSync(path, 'no transcript');
    await simulate('--replay', path);
    expect(output.stderr).toContain(`${path} is not a transcript: line 1: not a JSON object`);
    expect(process.exitCode).toBe(2);
  });
});
