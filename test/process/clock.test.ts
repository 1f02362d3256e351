// The clock that is set for the nodes alone: it jumps at once, and the monotonic one and this process stay as they are.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { clockLibrary, setClock, withClock } from '../support/process-clock.ts';
import { until } from '../support/until.ts';

const library = clockLibrary();

/** Says both of its clocks for each line that it gets. */
const CLOCKS =
  "process.stdin.on('data', () => console.log(Date.now(), Number(process.hrtime.bigint()) / 1e6))";

it.skipIf(library === null)('a clock that is set jumps at once, and no other does', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'fo-clock-'));
  const path = join(directory, 'clock');
  setClock(path, 0);
  const child = spawn(process.execPath, ['-e', CLOCKS], {
    env: { ...process.env, NODE_OPTIONS: '', ...withClock(library ?? '', path) },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
    rmSync(directory, { recursive: true });
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  for (const seconds of [0, 7200, -86_400, 0]) {
    setClock(path, seconds);
    said = '';
    child.stdin.write('.');
    await until('its answer', () => said.endsWith('\n'), 20_000);
    const [wallMs = NaN, monotonicMs = NaN] = said.split(' ').map(Number);
    // Nothing here takes minutes.
    expect(Math.abs(wallMs - Date.now() - seconds * 1000)).toBeLessThan(300_000);
    const ownMs = Number(process.hrtime.bigint()) / 1e6;
    expect(Math.abs(ownMs - monotonicMs)).toBeLessThan(300_000);
  }
});
