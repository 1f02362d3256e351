// The records of all nodes of a group: who is registered, and who of them lives.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { FailoverError } from '../../errors.ts';
import { isAlive, isSameProcess } from '../../fence/process-identity.ts';
import { compareSession, scanSessions } from '../../fence/session-members.ts';
import { isOutOfResources } from '../../out-of-resources.ts';
import type { NodeRecord, SessionRecord } from '../lease-store.ts';
import { readBounded } from './durable-file.ts';
import { statOrNull } from './file-identity.ts';
import { roleFilePath } from './group-paths.ts';
import type { GroupPaths } from './group-paths.ts';
import { parseNodeRecord, RECORD_LIMIT_BYTES } from './node-record.ts';
import { ParsedOnce } from './parsed-once.ts';
import { isRunName } from './record-fields.ts';
import { isRecordLocked } from './record-lock.ts';

/** A registered node; `alive`: its supervisor is the very process that wrote it. */
export interface RegisteredNode extends NodeRecord {
  readonly alive: boolean;
}

/** Every readable record. Empty also when there is no directory. */
export function listNodes(paths: GroupPaths): RegisteredNode[] {
  return readEntries(paths).map(({ record }) =>
    Object.assign({}, record, { alive: isAlive(record.supervisor) }),
  );
}

/** One node's record; null when there is none, or it can't be read or understood. */
export function readNode(paths: GroupPaths, run: string): NodeRecord | null {
  return isRunName(run) ? readRecord(nodePath(paths, run)) : null;
}

/** Where the record of a run is. */
export function nodePath(paths: GroupPaths, run: string): string {
  return join(paths.nodes, `${run}.json`);
}

/**
 * Refuses an id that a living process has registered. They register one after the other; where a removal of
 * the directory lets two do so at once, they see each other, and the one that started first keeps it. What an ended run of
 * this process has left keeps no id, and goes where nothing of it runs.
 *
 * @throws FAILOVER_NODE_TAKEN
 */
export function refuseTakenNode(paths: GroupPaths, own: NodeRecord, registered: boolean): void {
  for (const { record, path } of readEntries(paths)) {
    if (record.node !== own.node || record.run === own.run || !isAlive(record.supervisor)) continue;
    // What an earlier run in this process has left is on record, and has nobody who lives.
    if (isSameProcess(record.supervisor, own.supervisor) && !isRecordLocked(path)) {
      if (areSessionsGone(record.sessions)) forgetNode(paths, record.run);
      continue;
    }
    if (registered && isBefore(own, record)) continue;
    throw new FailoverError(
      'FAILOVER_NODE_TAKEN',
      `Cannot start node ${own.node}: process ${record.supervisor.pid} has had that id in group ${own.group} since ${record.startedAt}`,
    );
  }
}

/**
 * Refuses a directory that another machine uses: its kernel's locks are not this one's. A record of an
 * earlier boot of this host is simply dead.
 *
 * @throws FAILOVER_OTHER_BOOT
 */
export function refuseOtherHosts(paths: GroupPaths, own: NodeRecord): void {
  for (const entry of readEntries(paths)) {
    const { record } = entry;
    if (record.supervisor.bootId === own.supervisor.bootId || record.host === own.host) continue;
    const age = ageMs(entry.path);
    if (age === null || age >= RECENT_MS) continue;
    throw new FailoverError(
      'FAILOVER_OTHER_BOOT',
      `Cannot use ${paths.directory}: node ${record.node} of host ${record.host} was active in it ${Math.round(age / 1000)} s ago, but this is host ${own.host}`,
    );
  }
}

/** Whether each of these sessions has no member left. */
export function areSessionsGone(sessions: readonly SessionRecord[]): boolean {
  return sessions.every(sessionJudge(sessions));
}

export function forgetNode(paths: GroupPaths, run: string): void {
  if (!isRunName(run)) return;
  rmSync(join(paths.claims, `${run}.json`), { force: true });
  rmSync(sparePath(paths, run), { force: true });
  rmSync(join(paths.nodes, `${run}.json`), { force: true });
  rmSync(roleFilePath(paths, run), { force: true });
  // The node was killed while it wrote the file.
  rmSync(`${roleFilePath(paths, run)}.new`, { force: true });
}

/** A name that a node keeps so that it can make room for another (see `NodeRegistration`). */
export function sparePath(paths: GroupPaths, run: string): string {
  return join(paths.claims, `${run}.spare`);
}

/** A node touches its record once a minute at least (see `NodeRegistration`). */
export const RECENT_MS: number = 5 * 60_000;

/** A record, and where it is. */
export interface Entry {
  readonly record: NodeRecord;
  readonly path: string;
}

function readEntries(paths: GroupPaths): Entry[] {
  const entries: Entry[] = [];
  for (const run of recordedRuns(paths)) {
    const path = nodePath(paths, run);
    const record = readRecord(path);
    if (record !== null) entries.push({ record, path });
  }
  return entries;
}

/** The runs that have a record, also one that can't be read. */
export function recordedRuns(paths: GroupPaths): readonly string[] {
  let names: string[];
  try {
    names = readdirSync(paths.nodes);
  } catch (error) {
    if (isOutOfResources(error)) throw error;
    return [];
  }
  return names
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.slice(0, -'.json'.length))
    .filter(isRunName);
}

/** Reads a record. Its owner overwrites it in place: a half-written one is read again. */
export function readRecord(path: string): NodeRecord | null {
  for (let reading = 0; reading < READINGS; reading += 1) {
    const content = readBounded(path, RECORD_LIMIT_BYTES);
    if (content === null) return null;
    const record = understood.parse(path, content.trimEnd());
    if (record !== null) return record;
  }
  return null;
}

const READINGS = 3;

/** What was read last of each path: a takeover reads every record, and hardly any has changed. */
const understood = new ParsedOnce(parseNodeRecord);

function isBefore(a: NodeRecord, b: NodeRecord): boolean {
  if (a.startedAtMonotonicMs !== b.startedAtMonotonicMs) {
    return a.startedAtMonotonicMs < b.startedAtMonotonicMs;
  }
  return a.run < b.run;
}

/**
 * Since its last change; null: there is none, or it can't be looked at. The one use of wall clocks: another machine's
 * monotonic clock can't be compared with this one's.
 */
export function ageMs(path: string): number | null {
  const stats = statOrNull(path);
  return stats === null ? null : Math.abs(Date.now() - Number(stats.mtimeMs));
}

export function sessionJudge(
  sessions: readonly SessionRecord[],
): (session: SessionRecord) => boolean {
  const members = scanSessions(new Set(sessions.map(({ process: { pid } }) => pid)));
  return ({ process: leader }) => {
    const found = members.get(leader.pid);
    return found === undefined || compareSession(leader, found) === 'other';
  };
}
