// A browser that is opened with an address that others must not see: what it is given, and what is left.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openBrowser } from '../../src/cli/open-browser.ts';
import { until } from '../support/until.ts';

describe('a browser that is opened with a token', () => {
  it('is given a file that nobody else can read, and that is removed', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'failover-browser-'));
    onTestFinished(() => {
      rmSync(directory, { recursive: true });
    });
    const [program, told] = [join(directory, 'browser'), join(directory, 'told')];
    // Whole at once, so that what is there is all of it.
    const script = `#!/bin/sh\nprintf '%s' "$*" > "${told}.new"\nmv "${told}.new" "${told}"\n`;
    writeFileSync(program, script, { mode: 0o700 });
    const remove = openBrowser('http://127.0.0.1:8008/#token=secret&x', program);
    await until('the browser', () => existsSync(told));
    const file = readFileSync(told, 'utf8');
    expect(file).not.toContain('secret');
    expect([file, dirname(file)].map((path) => statSync(path).mode & 0o777)).toEqual([
      0o600, 0o700,
    ]);
    expect(readFileSync(file, 'utf8')).toContain('url=http://127.0.0.1:8008/#token=secret&#38;x"');
    remove();
    expect(existsSync(dirname(file))).toBe(false);
    remove();
  });
});
