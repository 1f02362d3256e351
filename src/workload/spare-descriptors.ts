// Whether the system would let this process start another one: asked before, since afterwards is too late.
import { closeSync, openSync } from 'node:fs';

/**
 * Null: there are descriptors for the streams of a child. Else the system's error: a child that can't have
 * its streams tells of it a turn later, by an event that nobody can listen to yet, and that would end this
 * process.
 */
export function lackOfDescriptors(): NodeJS.ErrnoException | null {
  const opened: number[] = [];
  try {
    for (let n = 0; n < NEEDED; n += 1) opened.push(openSync('/dev/null', 'r'));
    return null;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}

/** More than three streams and the pipe that tells of a failed exec take. */
const NEEDED = 10;
