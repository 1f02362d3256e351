// The token that changes over HTTP are asked for with: fixed, or in a file that is read again when it changes.
import { createHash, timingSafeEqual } from 'node:crypto';
import { statSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { messageOf } from '../error-message.ts';
import { readTokenFile } from '../keys/key-files.ts';
import { monotonicNow } from '../runtime/clock.ts';

/** Whether it is the right one; null: there is none at present that could be. */
export type TokenCheck = (given: string) => boolean | null;

export interface TokenFile {
  readonly check: TokenCheck;
  /** Looks at the file no more. */
  readonly close: () => void;
}

/** How often the file is looked at, ms. */
const LOOK_INTERVAL_MS = 1_000;

/** A file system that does not answer for so long, ms, may have a file that is another by now. */
const ANSWER_LIMIT_MS = 5_000;

export function fixedToken(token: string): TokenCheck {
  return (given) => isSame(given, token);
}

/**
 * Looks at the file now and then, beside all else: no request has this process wait for a file system.
 *
 * @param warn Told once when the file can't be used any more: until it can, there is no right token
 * @param look How it is looked at: another way for tests
 * @throws FAILOVER_BAD_KEY_FILE where it can't be used now
 */
export function tokenInFile(
  path: string,
  warn: (message: string) => void,
  look: (path: string) => Promise<BigIntStats> = (file) => stat(file, { bigint: true }),
): TokenFile {
  // Before it is read: what is written meanwhile is seen at the next look.
  let mark = markNow(path);
  let token: string | null = readTokenFile(path);
  let lookingSince: number | null = null;
  const takeUp = (now: string): void => {
    lookingSince = null;
    if (now === mark) return;
    mark = now;
    try {
      token = readTokenFile(path);
    } catch (error) {
      token = null;
      warn(messageOf(error));
    }
  };
  const timer = setInterval(() => {
    if (lookingSince !== null) return;
    lookingSince = monotonicNow();
    look(path)
      .then(markOf, messageOf)
      .then(takeUp, () => undefined);
  }, LOOK_INTERVAL_MS).unref();
  return {
    check: (given) => {
      const isLate = lookingSince !== null && monotonicNow() - lookingSince > ANSWER_LIMIT_MS;
      return token === null || isLate ? null : isSame(given, token);
    },
    close: () => {
      clearInterval(timer);
    },
  };
}

function markNow(path: string): string {
  try {
    return markOf(statSync(path, { bigint: true }));
  } catch (error) {
    return messageOf(error);
  }
}

/** Changes with what is in a file, and with who may read it. */
function markOf({ ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [ino, size, mtimeNs, ctimeNs].join('/');
}

/** In a time that tells nothing of where they differ, nor of how long the right one is. */
function isSame(given: string, token: string): boolean {
  const [one, other] = [given, token].map((text) => createHash('sha256').update(text).digest());
  return one !== undefined && other !== undefined && timingSafeEqual(one, other);
}
