// What the launcher sets up before anything runs: by its effects on a whole process.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const BIN = join(import.meta.dirname, '../../bin/failover.js');

/** What Node says of each function that it optimizes. */
const OPTIMIZED = /\[completed optimizing/g;

let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'failover-launcher-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

describe('the launcher', () => {
  it('lets a supervisor optimize nothing: what compiles in the background leaves megabytes behind', () => {
    const command = ['run', '--state-dir', directory, '--restart', 'never', '--', 'true'];
    const { status, optimized } = traced(command);
    expect(status).toBe(0);
    expect(optimized).toBe(0);
  });

  it('lets the simulator be optimized, which runs the same code for minutes', () => {
    const { status, optimized } = traced(['simulate', '--seed', '1', '--steps', '20000']);
    expect(status).toBe(0);
    expect(optimized).toBeGreaterThan(0);
  });
});

function traced(args: readonly string[]): { status: number | null; optimized: number } {
  const { status, stdout } = spawnSync(process.execPath, ['--trace-opt', BIN, ...args], {
    encoding: 'utf8',
  });
  return { status, optimized: stdout.match(OPTIMIZED)?.length ?? 0 };
}
