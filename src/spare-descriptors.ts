// Whether the system would give this process so many descriptors more: asked before, since afterwards is too late.
import { closeSync, openSync } from 'node:fs';

/**
 * Null: there are descriptors for the streams of a child. Else the system's error: a child that can't have
 * its streams tells of it a turn later, by an event that nobody can listen to yet, and that would end this
 * process.
 */
export function lackOfDescriptors(): NodeJS.ErrnoException | null {
  return lackOf(FOR_CHILD);
}

/**
 * Null: there are descriptors for the two sockets of a connection and for what watches them. Else the
 * system's error: libzmq that runs out of them half-way waits for ever, or keeps the process from ending.
 * `connecting`: connections that were begun and may yet take one each.
 */
export function lackOfLinkDescriptors(connecting = 0): NodeJS.ErrnoException | null {
  return lackOf(FOR_LINK + connecting);
}

/**
 * Null: there are descriptors for a node, and for all who connect to it. Else the system's error: libzmq
 * ends a process that can't accept a connection for want of a descriptor, and who connects is not ours to
 * limit. So one that would live so near to its limit is better not started.
 */
export function lackOfNodeDescriptors(): NodeJS.ErrnoException | null {
  return lackOf(FOR_NODE);
}

/**
 * Its sockets take ten, a child and a connection at a time what is said below, each secondary two of its
 * primary, a client one for as long as it asks: so about a dozen secondaries.
 */
export const FOR_NODE = 64;

/** More than three streams and the pipe that tells of a failed exec take. */
const FOR_CHILD = 10;

/** Nine were seen to be taken. */
const FOR_LINK = 16;

function lackOf(needed: number): NodeJS.ErrnoException | null {
  const opened: number[] = [];
  try {
    for (let n = 0; n < needed; n += 1) opened.push(openSync('/dev/null', 'r'));
    return null;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}
