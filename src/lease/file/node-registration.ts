// This node's own record and claim: written ahead, kept open and locked, and overwritten in place.
import {
  closeSync,
  constants,
  ftruncateSync,
  futimesSync,
  linkSync,
  openSync,
  readSync,
  unlinkSync,
} from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { join } from 'node:path';
import { FailoverError } from '../../errors.ts';
import type { NodeRecord } from '../lease-store.ts';
import { overwrite, padded, replaceFile, replaceOpenFile } from './durable-file.ts';
import { identityOfDescriptor } from './file-identity.ts';
import { FileSight } from './file-sight.ts';
import type { GroupPaths } from './group-paths.ts';
import { claimText, RECORD_BYTES, RECORD_LIMIT_BYTES } from './node-record.ts';
import { forgetNode, nodePath, sparePath } from './node-registry.ts';
import { ReadOnce } from './read-once.ts';
import { lockRecord } from './record-lock.ts';
import { errnoOf, isFull, withStorageErrors } from './storage-error.ts';

export class NodeRegistration {
  /** What the claim links: complete and flushed, so that a claim needs no room. */
  readonly claimPath: string;
  /** A second name of the claim: given up for the name of an epoch where there is no room for one more. */
  readonly #sparePath: string;
  readonly #path: string;
  readonly #sight: FileSight;
  #fd: number;
  #identity: string;
  #sizeBytes: number;
  /** What was written last, of each; as text a thousand of them would take a megabyte. */
  #record: NodeRecord;
  #claimed: NodeRecord;
  /** Whether record and claim still say what was written: looked into only where they may have changed. */
  readonly #checked = { record: new ReadOnce<boolean>(now), claim: new ReadOnce<boolean>(now) };
  #touchedAt: number;

  /** Writes both records, the claim's durably. @throws FAILOVER_STATE_DIR_* */
  constructor(paths: GroupPaths, record: NodeRecord, sight: FileSight = new FileSight()) {
    this.#sight = sight;
    this.#path = nodePath(paths, record.run);
    this.claimPath = join(paths.claims, `${record.run}.json`);
    this.#sparePath = sparePath(paths, record.run);
    const { text, sizeBytes } = encode(record, RECORD_BYTES);
    this.#sizeBytes = sizeBytes;
    this.#record = record;
    this.#claimed = record;
    this.#touchedAt = now();
    this.#fd = withStorageErrors(`register node ${record.node} in ${paths.directory}`, () => {
      for (let attempt = 1; ; attempt += 1) {
        try {
          replaceFile(this.claimPath, claimText(record));
          this.keepSpareName();
          return replaceOpenFile(this.#path, padded(text, sizeBytes), lockRecord);
        } catch (error) {
          forgetNode(paths, record.run);
          // Another took the claim of a moment ago for an old one: its wall clock has jumped.
          if (errnoOf(error) !== 'ENOENT' || attempt === ATTEMPTS) throw error;
        }
      }
    });
    this.#identity = identityOfDescriptor(this.#fd);
  }

  /** Whether others find this record under its name, and a claim has something to link. */
  get isPresent(): boolean {
    if (this.#sight.statsOf(this.claimPath) === null) return false;
    return this.#sight.identityOf(this.#path) === this.#identity;
  }

  /**
   * Replaces the record. Within its page it is one write into existing room: it works on a full disk, and
   * a crash of this process right after it loses nothing. A longer one is replaced as a file.
   */
  write(record: NodeRecord): void {
    const { text, sizeBytes } = encode(record, this.#sizeBytes);
    const content = padded(text, sizeBytes);
    withStorageErrors(`write ${this.#path}`, () => {
      if (sizeBytes === RECORD_BYTES && this.#sizeBytes === RECORD_BYTES) {
        overwrite(this.#fd, content);
        this.#record = record;
        return;
      }
      // Two pages could be torn by a kill between them: as a whole, then.
      const fd = replaceOpenFile(this.#path, content, lockRecord);
      closeSync(this.#fd);
      this.#fd = fd;
      this.#identity = identityOfDescriptor(fd);
      this.#sizeBytes = sizeBytes;
      this.#record = record;
    });
  }

  /** What later claims of this run say; earlier ones keep what they said. */
  rewriteClaim(record: NodeRecord): void {
    try {
      replaceFile(this.claimPath, claimText(record));
      this.#claimed = record;
    } catch (error) {
      // The node's record has the news, and readers believe it before the claim.
      if (!isFull(error)) throw error;
    }
  }

  /** Makes room for one name; false when this was done before. */
  giveSpareName(): boolean {
    try {
      unlinkSync(this.#sparePath);
      return true;
    } catch {
      return false;
    }
  }

  /** @throws the system's error where there is no room for it. */
  keepSpareName(): void {
    try {
      linkSync(this.claimPath, this.#sparePath);
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
  }

  /**
   * Puts right what somebody else wrote over the record or the claim: without them nobody knows what this
   * node has started, or whose an epoch is.
   * Once a minute tells a node of another host, or pid namespace, that this one is in use.
   */
  touch(): void {
    this.#restore();
    if (now() - this.#touchedAt < TOUCH_INTERVAL_MS) return;
    this.#touchedAt = now();
    const seconds = Date.now() / 1000;
    futimesSync(this.#fd, seconds, seconds);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #restore(): void {
    const record = this.#sight.statsOf(this.#path);
    // Where another file has the name, this one is still read by who has found it before.
    const isNamed = this.#sight.identityOf(this.#path) === this.#identity;
    if (record !== null && isNamed) check(this.#checked.record, record, this.#restoreRecord);
    else this.#restoreRecord();
    const claim = this.#sight.statsOf(this.claimPath);
    // A missing one is made anew with the record.
    if (claim !== null) check(this.#checked.claim, claim, this.#restoreClaim);
  }

  readonly #restoreRecord = (): boolean =>
    restore(this.#fd, JSON.stringify(this.#record), this.#sizeBytes);

  /** In place: an epoch is a further name of the claim. */
  readonly #restoreClaim = (): boolean => {
    let fd: number;
    try {
      fd = openSync(this.claimPath, constants.O_RDWR | constants.O_NONBLOCK);
    } catch {
      // Gone meanwhile.
      return false;
    }
    try {
      const claim = claimText(this.#claimed);
      return restore(fd, claim, Buffer.byteLength(claim));
    } finally {
      closeSync(fd);
    }
  };
}

function encode(record: NodeRecord, least: number): { text: string; sizeBytes: number } {
  const text = JSON.stringify(record);
  const lengthBytes = Buffer.byteLength(text);
  if (lengthBytes > RECORD_LIMIT_BYTES) {
    throw new FailoverError(
      'FAILOVER_REFUSED',
      `Cannot record ${record.sessions.length} sessions of node ${record.node}: ` +
        `the record would have ${lengthBytes} bytes, more than ${RECORD_LIMIT_BYTES}`,
      { hint: 'Kill what earlier runs of the workload have left.' },
    );
  }
  return { text, sizeBytes: Math.max(least, lengthBytes > RECORD_BYTES ? RECORD_LIMIT_BYTES : 0) };
}

/** Looks into a file where it may have changed, and at each look for as long as it can not be put right. */
function check(checked: ReadOnce<boolean>, stats: BigIntStats, restore: () => boolean): void {
  if (!checked.value(stats, restore)) checked.forget();
}

/** Puts a text, padded to its size, back where the file says anything else; false: there is no room for it. */
function restore(fd: number, text: string, sizeBytes: number): boolean {
  expected.fill(' ', expected.write(text), sizeBytes);
  const length = readSync(fd, found, 0, sizeBytes + 1, 0);
  if (expected.compare(found, 0, length, 0, sizeBytes) === 0) return true;
  try {
    overwrite(fd, expected.subarray(0, sizeBytes));
    ftruncateSync(fd, sizeBytes);
    return true;
  } catch (error) {
    // Where it was cut short there may be no room for it by now: tried again at the next look.
    if (!isFull(error)) throw error;
    return false;
  }
}

/** One byte more than there should be: that shows a file which was made longer. */
const found = Buffer.alloc(RECORD_LIMIT_BYTES + 1);

/** Made once: a thousand nodes compare theirs again and again while they take over. */
const expected = Buffer.alloc(RECORD_LIMIT_BYTES);

const now = (): number => performance.now();

const ATTEMPTS = 3;

const TOUCH_INTERVAL_MS = 60_000;
