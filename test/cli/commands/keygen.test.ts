// What `failover keygen` writes and prints, and that it overwrites nothing unasked.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { reportFailure } from '../../../src/cli/failure.ts';
import { runProgram } from '../../../src/cli/program.ts';
import { readAuthorizedKeys, readKeyFile } from '../../../src/keys/key-files.ts';

let stdout = '';
let stderr = '';
let directory = '';

beforeEach(() => {
  [stdout, stderr] = ['', ''];
  directory = mkdtempSync(join(tmpdir(), 'failover-keygen-'));
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
  process.exitCode = undefined;
  rmSync(directory, { recursive: true });
});

async function keygen(...args: readonly string[]): Promise<void> {
  await runProgram(['keygen', ...args]).catch(reportFailure);
}

it('writes the secret half for its owner alone, the public one beside it, and prints that', async () => {
  const path = join(directory, 'node.key');
  await keygen('--out', path);
  const { publicKey, secretKey } = readKeyFile(path);
  expect(stdout).toBe(`${publicKey}\n`);
  expect(stderr).toContain(`wrote the secret key to ${path}`);
  expect(stderr).not.toContain(secretKey);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readFileSync(`${path}.pub`, 'utf8')).not.toContain(secretKey);
  expect([...readAuthorizedKeys(`${path}.pub`)]).toEqual([publicKey]);
});

it('overwrites neither half unless it is told to', async () => {
  const path = join(directory, 'node.key');
  writeFileSync(`${path}.pub`, 'precious');
  await keygen('--out', path);
  expect(process.exitCode).toBe(2);
  expect(stderr).toContain(`Cannot use --out: ${path}.pub is there already`);
  expect(stderr).toContain('--force');
  expect(existsSync(path)).toBe(false);
  expect(readFileSync(`${path}.pub`, 'utf8')).toBe('precious');

  await keygen('--out', path, '--force');
  expect([...readAuthorizedKeys(`${path}.pub`)]).toEqual([readKeyFile(path).publicKey]);
  const { secretKey } = readKeyFile(path);
  await keygen('--out', path);
  expect(readKeyFile(path).secretKey).toBe(secretKey);
});

it('names a place that can not be written', async () => {
  const path = join(directory, 'missing', 'node.key');
  await keygen('--out', path);
  expect(process.exitCode).toBe(2);
  expect(stderr).toContain(
    `Cannot use --out: ${path} can't be written: its directory does not exist`,
  );
});
