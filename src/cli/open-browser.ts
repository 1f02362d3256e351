// Opens an address with a secret in a browser: by way of a file, as all users of the machine see the arguments of a process.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { note } from './say.ts';

/** Until when a browser has surely read the file, ms. */
const KEPT_MS = 60_000;

/** @returns Removes the file, should it still be there */
export function openBrowser(
  address: string,
  program: string = process.platform === 'darwin' ? 'open' : 'xdg-open',
): () => void {
  let directory: string;
  try {
    // Nobody else may enter it.
    directory = mkdtempSync(join(tmpdir(), 'failover-dashboard-'));
  } catch {
    note('no browser was opened because its file could not be created: open the address yourself.');
    return () => undefined;
  }
  const remove = (): void => {
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    const file = join(directory, 'open.html');
    writeFileSync(file, redirectTo(address), { mode: 0o600 });
    const child = spawn(program, [file], { detached: true, stdio: 'ignore' });
    child.on('error', () => {
      note(`${program} was not found to open a browser: open the address yourself.`);
    });
    child.unref();
  } catch {
    note('no browser was opened: open the address yourself.');
  }
  setTimeout(remove, KEPT_MS).unref();
  return remove;
}

function redirectTo(address: string): string {
  const escaped = address.replace(/[&<>"']/g, (sign) => `&#${String(sign.charCodeAt(0))};`);
  return `<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer"><meta http-equiv="refresh" content="0;url=${escaped}"><title>failover</title>\n`;
}
