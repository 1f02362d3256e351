// The manual page of the package: all commands and options are in it, and the programs that read it find nothing wrong.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { EXIT_CODES } from '../../src/errors.ts';
import { lackOf } from '../support/lack.ts';
import { ROOT } from './support/pages.ts';

/** Made by the build. */
const PAGE = join(ROOT, 'dist', 'man', 'failover.1');

it('has every command with its options and example, and every exit code', () => {
  const page = readFileSync(PAGE, 'utf8')
    .replaceAll('\\-', '-')
    .replaceAll(/\\\[u([0-9A-F]+)\]/g, (_, code: string) =>
      String.fromCodePoint(parseInt(code, 16)),
    );
  const { commands } = createProgram();
  const missing = commands.filter((command) => !page.includes(`.SS failover ${command.name()} `));
  expect(missing.map((command) => command.name())).toEqual([]);
  for (const command of commands) {
    const [, after = ''] = page.split(`.SS failover ${command.name()} `);
    const [own = ''] = after.split(/^\.S[SH] /m);
    const absent = command.options.filter(({ flags }) => !own.includes(`\\fB${flags}\\fR`));
    expect(absent.map(({ flags }) => `${command.name()} ${flags}`)).toEqual([]);
    expect(own).toContain('Example:');
  }
  for (const { code } of EXIT_CODES) expect(page).toContain(`\\fB${code}\\fR`);
});

it('is in the package, where `man` finds it', () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    readonly man: readonly string[];
    readonly files: readonly string[];
  };
  expect(manifest.man).toEqual(['dist/man/failover.1']);
  expect(manifest.files).toContain('dist/man');
});

it('is of plain ASCII in lines that are not too long', () => {
  const lines = readFileSync(PAGE, 'latin1').split('\n');
  expect(lines.filter((line) => line.length > 80 || /[^ -~]/.test(line))).toEqual([]);
});

it('is free of what mandoc would complain of', ({ skip }) => {
  const found = spawnSync('mandoc', ['-T', 'lint', PAGE], { encoding: 'utf8' });
  // Debian: apt-get install mandoc.
  const lack = lackOf('mandoc', found.error === undefined, 'mandoc is not installed');
  if (lack !== null) skip(lack);
  expect(found.stdout + found.stderr).toBe('');
});
