// `failover init`: an example that is right, never over what is there.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it, vi } from 'vitest';
import { init, printSchema } from '../../../src/cli/commands/init.ts';
import { check } from '../../../src/cli/commands/up.ts';
import { temporaryDirectory } from '../../lease/support/fixtures.ts';
import { failureOf } from '../../support/failover-error.ts';

let said = '';

beforeEach(() => {
  said = '';
  const write = (text: unknown): boolean => {
    said += String(text);
    return true;
  };
  vi.spyOn(process.stdout, 'write').mockImplementation(write);
  vi.spyOn(process.stderr, 'write').mockImplementation(write);
});

it('writes a file that `up --check` finds right', async () => {
  const file = join(temporaryDirectory(), 'failover.yaml');
  init({ file, force: false });
  expect(said).toContain(`wrote ${file}`);
  await check({ flags: { file }, env: {}, only: null });
  expect(said).toContain(`${file} is valid: 2 groups\ngroup   lease  standby  command\nticker`);
});

it('replaces nothing unless it is told to, and says what is in the way', () => {
  const directory = temporaryDirectory();
  const file = join(directory, 'f.yaml');
  writeFileSync(file, 'mine');
  expect(
    failureOf(() => {
      init({ file, force: false });
    }).message,
  ).toContain('the file exists');
  expect(readFileSync(file, 'utf8')).toBe('mine');
  init({ file, force: true });
  expect(readFileSync(file, 'utf8')).toContain('groups:');
  const missing = join(directory, 'no', 'f.yaml');
  expect(
    failureOf(() => {
      init({ file: missing, force: true });
    }).message,
  ).toContain('its directory does not exist');
});

it('names the group that is not in the file, and the one that was meant', async () => {
  const file = join(temporaryDirectory(), 'f.yaml');
  init({ file, force: false });
  const told = { flags: { file }, env: {}, only: ['clok'] };
  await expect(check(told)).rejects.toMatchObject({
    exitCode: 2,
    hint: 'Did you mean `clock`?',
  });
  said = '';
  await check({ ...told, only: ['clock'] });
  expect(said).toContain('1 group\n');
});

it('prints the schema', () => {
  printSchema();
  expect(JSON.parse(said)).toMatchObject({ type: 'object', required: ['groups'] });
});
