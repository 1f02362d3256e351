// What people run by hand to try the program: a wrong word is refused before anything begins.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';

describe.each(['chaos', 'growth', 'hosts', 'trials'])('npm run %s', (name) => {
  it('says what is wrong, and does nothing', async () => {
    const said = `${name}: Unknown option '--nothing'. See npm run ${name} -- --help\n`;
    expect(await run(name, '--nothing')).toEqual({ code: 2, stdout: '', stderr: said });
  });
});

async function run(
  name: string,
  word: string,
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const loader = join(import.meta.dirname, '..', 'support', 'typescript.js');
  const program = join(import.meta.dirname, '..', name, 'main.ts');
  const env = { ...process.env, NODE_OPTIONS: '', NODE_NO_WARNINGS: '1' };
  const child = spawn(process.execPath, ['--import', loader, program, word], { env });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number]>, // what the event has where no signal ended it
  ]);
  return { code, stdout, stderr };
}
