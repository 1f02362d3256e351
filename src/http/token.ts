// The token that changes over HTTP are asked for with: fixed, or in a file that is read again when it changes.
import { createHash, timingSafeEqual } from 'node:crypto';
import { statSync } from 'node:fs';
import { readTokenFile } from '../keys/key-files.ts';

/** Whether it is the right one; null: there is none at present that could be. */
export type TokenCheck = (given: string) => boolean | null;

export function fixedToken(token: string): TokenCheck {
  return (given) => isSame(given, token);
}

/**
 * @param warn Told once when the file can't be used any more: until it can, there is no right token
 * @throws FAILOVER_BAD_KEY_FILE where it can't be used now
 */
export function tokenInFile(path: string, warn: (message: string) => void): TokenCheck {
  let token: string | null = readTokenFile(path);
  let mark = markOf(path);
  const read = (): void => {
    try {
      token = readTokenFile(path);
    } catch (error) {
      token = null;
      warn(error instanceof Error ? error.message : String(error));
    }
  };
  return (given) => {
    const now = markOf(path);
    if (now !== mark) {
      mark = now;
      read();
    }
    return token === null ? null : isSame(given, token);
  };
}

/** Changes with what is in a file, and with who may read it. */
function markOf(path: string): string {
  try {
    const { ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return [ino, size, mtimeNs, ctimeNs].join('/');
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** In a time that tells nothing of where they differ, nor of how long the right one is. */
function isSame(given: string, token: string): boolean {
  const [one, other] = [given, token].map((text) => createHash('sha256').update(text).digest());
  return one !== undefined && other !== undefined && timingSafeEqual(one, other);
}
