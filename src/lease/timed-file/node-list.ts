// Which nodes a group has, on all machines: a file for each, written anew now and then as long as it lives.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseJson } from '../file/durable-file.ts';
import type { Rival } from '../join-alone.ts';
import type { StoredSight } from '../remote-store.ts';
import { REGISTRATION_TTL_MS, SIGN_PAUSE_MS } from '../sign-of-life.ts';
import { readRival, readStoredNode } from '../stored-records.ts';
import type { Asker } from '../token-driver.ts';
import type { IsLate } from './file-link.ts';
import { contentOf, exists, namesIn, refresh, removeAll, replace } from './shared-files.ts';

/** What a node that ended without a word has left goes after so long, ms: clocks of machines differ by less. */
const KEPT_MS = 3_600_000;

const NODES_LISTED = 1_024;

const SAYS_NOTHING = { host: null, startedAt: null, supervisor: null, quietMs: null } as const;

export class NodeList {
  readonly #directory: string;
  readonly #now: () => number;
  #signs = 0;
  #signedAt = -Infinity;
  /** What was read last of each, and when it was first read so. */
  readonly #seen = new Map<string, { readonly content: string; readonly sinceMs: number }>();

  /** @param now milliseconds on the clock of this node */
  constructor(directory: string, now: () => number) {
    this.#directory = directory;
    this.#now = now;
  }

  /** Registers a node, or says what is new of it. */
  async enter(asker: Asker): Promise<void> {
    await this.#write(asker, replace);
  }

  /** Whether the node is on record. */
  async knows({ run }: Asker): Promise<boolean> {
    return exists(this.#path(run));
  }

  /** Whether it is time for a sign of life. */
  get isSignDue(): boolean {
    return this.#now() - this.#signedAt >= SIGN_PAUSE_MS['timed-file'];
  }

  /**
   * Leaves a sign of life where it is time for one. False: the node is not on record any more.
   *
   * @param hasId whether its id is still its own: it may have been stopped while it signed, and another have taken it
   */
  async sign(asker: Asker, hasId: () => Promise<boolean>): Promise<boolean> {
    const isKnown = await this.knows(asker);
    if (!isKnown || !this.isSignDue) return isKnown;
    await this.#write(asker, refresh);
    if (await hasId()) return true;
    await this.remove(asker);
    return false;
  }

  /** False: it was not there. */
  async remove({ run }: Asker): Promise<boolean> {
    const wasThere = await exists(this.#path(run));
    await removeAll([this.#path(run)]);
    return wasThere;
  }

  /** What a node says of itself; null: nothing. */
  async recordOf(run: string): Promise<unknown> {
    return recordIn(await contentOf(this.#path(run)));
  }

  /** What it says to another of its id, and when it was seen; null: it is not on record. */
  async rival(run: string): Promise<Rival | null> {
    const content = await contentOf(this.#path(run));
    if (content === null) return null;
    // What its server lost with the power says nothing, and is written anew where it lives.
    const rival = readRival(recordIn(content)) ?? { run, ...SAYS_NOTHING };
    return { ...rival, seenAgoMs: await this.#agoMs(run, content) };
  }

  /**
   * A node that was seen to change was there then; of others the times of files have to do.
   *
   * @param isLate whether nobody waits for it any more: it reads no further then
   */
  async list(isLate: IsLate): Promise<readonly StoredSight[]> {
    const listed: StoredSight[] = [];
    for (const run of (await this.#runs()).slice(0, NODES_LISTED)) {
      if (isLate()) break;
      const path = this.#path(run);
      const content = await contentOf(path);
      const node = readStoredNode(recordIn(content));
      if (content === null || node === null) continue;
      const seenAgoMs = await this.#agoMs(run, content);
      if (seenAgoMs <= REGISTRATION_TTL_MS) listed.push({ ...node, seenAgoMs });
    }
    return listed;
  }

  /** Whether a file was last changed so long ago that nobody writes it any more. */
  async isOld(path: string): Promise<boolean> {
    return (await this.#ageMs(path)) > KEPT_MS;
  }

  /** Removes the files of those that ended without a word, long ago. */
  async prune(): Promise<void> {
    const runs = await this.#runs();
    const aged = await Promise.all(
      runs.map(async (run) => ({ run, isOld: await this.isOld(this.#path(run)) })),
    );
    const gone = aged.filter(({ isOld }) => isOld);
    await removeAll(gone.map(({ run }) => this.#path(run)));
  }

  async #write(
    { run, record }: Asker,
    write: (path: string, content: string) => Promise<void>,
  ): Promise<void> {
    this.#signs += 1;
    this.#signedAt = this.#now();
    const known: unknown = JSON.parse(record);
    await write(this.#path(run), JSON.stringify({ record: known, sign: this.#signs }));
  }

  async #agoMs(run: string, content: string): Promise<number> {
    const seen = this.#seen.get(run);
    if (seen !== undefined && seen.content !== content) {
      this.#remember(run, content, this.#now());
      return 0;
    }
    if (seen === undefined)
      this.#remember(run, content, this.#now() - (await this.#ageMs(this.#path(run))));
    return Math.max(0, this.#now() - (this.#seen.get(run)?.sinceMs ?? this.#now()));
  }

  #remember(run: string, content: string, sinceMs: number): void {
    this.#seen.delete(run);
    this.#seen.set(run, { content, sinceMs });
    for (const oldest of this.#seen.keys()) {
      if (this.#seen.size <= NODES_LISTED) break;
      this.#seen.delete(oldest);
    }
  }

  /** By the clocks of the files' server and of this machine: for people. */
  async #ageMs(path: string): Promise<number> {
    const changedAtMs = await stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => null,
    );
    return changedAtMs === null ? 0 : Math.max(0, Date.now() - changedAtMs);
  }

  async #runs(): Promise<readonly string[]> {
    return (await namesIn(this.#directory)).filter((name) => !name.startsWith('.')).sort();
  }

  #path(run: string): string {
    return join(this.#directory, run);
  }
}

function recordIn(content: string | null): unknown {
  const parsed = content === null ? null : parseJson(content);
  return typeof parsed === 'object' && parsed !== null && 'record' in parsed ? parsed.record : null;
}
