// What `failover keygen` writes and prints, and that it overwrites nothing unasked.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { reportFailure } from '../../../src/cli/failure.ts';
import { runProgram } from '../../../src/cli/program.ts';
import { readAuthorizedKeys, readKeyFile } from '../../../src/keys/key-files.ts';
import { captureOutput } from '../../support/captured-output.ts';

const output = captureOutput();
let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'failover-keygen-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

async function keygen(...args: readonly string[]): Promise<void> {
  await runProgram(['keygen', ...args]).catch(reportFailure);
}

it('writes the secret half for its owner alone, the public one beside it, and prints that', async () => {
  const path = join(directory, 'node.key');
  await keygen('--out', path);
  const { publicKey, secretKey } = readKeyFile(path);
  expect(output.stdout).toBe(`${publicKey}\n`);
  expect(output.stderr).toContain(`wrote the secret key to ${path}`);
  expect(output.stderr).not.toContain(secretKey);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readFileSync(`${path}.pub`, 'utf8')).not.toContain(secretKey);
  expect([...readAuthorizedKeys(`${path}.pub`)]).toEqual([publicKey]);
});

it('overwrites neither half unless it is told to', async () => {
  const path = join(directory, 'node.key');
  writeFileSync(`${path}.pub`, 'precious');
  await keygen('--out', path);
  expect(process.exitCode).toBe(2);
  expect(output.stderr).toContain(`Cannot use --out: ${path}.pub exists`);
  expect(output.stderr).toContain('--force');
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
  expect(output.stderr).toContain(
    `Cannot use --out: ${path} cannot be written: its directory does not exist`,
  );
});
