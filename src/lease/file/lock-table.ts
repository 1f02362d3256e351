// Whether anybody holds a lock on a file, asked of the kernel's own table: looking disturbs no claimant.
import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { identityOfPath, statOrNull } from './file-identity.ts';

/** Set when the table was found not to show a lock that was there: some sandboxes have an empty one. */
let distrusted = false;

/** From now on the table of this machine tells nothing. */
export function distrustLockTable(): void {
  distrusted = true;
}

/** The row of one file in /proc/locks. */
export class LockTableRow {
  readonly #path: string;
  /** Which file `#key` is of: the path may name another one later. */
  #identity: string | null = null;
  #key: string | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  /** Whether any process has the file locked; null: this kernel doesn't tell. */
  isHeld(): boolean | null {
    if (distrusted) return null;
    const identity = identityOfPath(this.#path);
    if (identity === null) return false;
    if (identity !== this.#identity) {
      this.#key = keyOf(this.#path);
      this.#identity = this.#key === null ? null : identity;
    }
    if (this.#key === null) return null;
    // A long table comes in pieces between which it changes: a row missed twice is really missing.
    for (let reading = 0; reading < 2; reading += 1) {
      const table = readOrNull('/proc/locks');
      if (table === null) return null;
      if (names(table, this.#key)) return true;
      if (table.length < ONE_PIECE_CHARACTERS) return false;
    }
    return false;
  }
}

/** What the kernel gives in one piece is a page; a shorter table was seen at one instant. */
const ONE_PIECE_CHARACTERS = 4000;

/**
 * How the table names a file: `major:minor:inode`, the numbers of the file system itself. On overlay and
 * btrfs `stat` gives others, so they are taken from the mount of an open descriptor.
 */
function keyOf(path: string): string | null {
  let fd: number;
  try {
    // What somebody put there may be a pipe.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  try {
    const information = readOrNull(`/proc/self/fdinfo/${String(fd)}`);
    const mount = /^mnt_id:\s*(\d+)$/m.exec(information ?? '')?.[1];
    // The line exists since Linux 5.14.
    const inode = /^ino:\s*(\d+)$/m.exec(information ?? '')?.[1] ?? String(statOrNull(path)?.ino);
    if (mount === undefined) return null;
    const device = new RegExp(`^${mount} \\d+ (\\d+):(\\d+) `, 'm').exec(
      readOrNull('/proc/self/mountinfo') ?? '',
    );
    if (device === null) return null;
    return `${hexadecimal(device[1])}:${hexadecimal(device[2])}:${inode}`;
  } finally {
    closeSync(fd);
  }
}

function hexadecimal(decimal: string | undefined): string {
  return Number(decimal).toString(16).padStart(2, '0');
}

/** Whether the table has a lock of the two kinds that exclude each other; flock(2) is another world. */
function names(table: string, key: string): boolean {
  for (let at = table.indexOf(` ${key} `); at >= 0; at = table.indexOf(` ${key} `, at + 1)) {
    const line = table.slice(table.lastIndexOf('\n', at) + 1, at);
    if (line.includes('OFDLCK') || line.includes('POSIX')) return true;
  }
  return false;
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
