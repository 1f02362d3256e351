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
import { join } from 'node:path';
import { FailoverError } from '../../errors.ts';
import type { NodeRecord } from '../lease-store.ts';
import { overwrite, padded, replaceFile, replaceOpenFile } from './durable-file.ts';
import { identityOfDescriptor, identityOfPath } from './file-identity.ts';
import type { GroupPaths } from './group-paths.ts';
import { claimText, RECORD_BYTES, RECORD_LIMIT_BYTES } from './node-record.ts';
import { forgetNode, sparePath } from './node-registry.ts';
import { lockRecord } from './record-lock.ts';
import { errnoOf, isFull, withStorageErrors } from './storage-error.ts';

export class NodeRegistration {
  /** What the claim links: complete and flushed, so that a claim needs no room. */
  readonly claimPath: string;
  /** A second name of the claim: given up for the name of an epoch where there is no room for one more. */
  readonly #sparePath: string;
  readonly #path: string;
  #fd: number;
  #sizeBytes: number;
  /** What was written last, of each. */
  #content: Buffer;
  #claim: Buffer;
  #touchedAt: number;

  /** Writes both records, the claim's durably. @throws FAILOVER_STATE_DIR_* */
  constructor(paths: GroupPaths, record: NodeRecord) {
    this.#path = join(paths.nodes, `${record.run}.json`);
    this.claimPath = join(paths.claims, `${record.run}.json`);
    this.#sparePath = sparePath(paths, record.run);
    const { content, sizeBytes } = this.#encode(record, RECORD_BYTES);
    this.#sizeBytes = sizeBytes;
    this.#content = content;
    this.#claim = Buffer.from(claimText(record));
    this.#touchedAt = performance.now();
    this.#fd = withStorageErrors(`register node ${record.node} in ${paths.directory}`, () => {
      for (let attempt = 1; ; attempt += 1) {
        try {
          replaceFile(this.claimPath, this.#claim);
          this.keepSpareName();
          return replaceOpenFile(this.#path, content, lockRecord);
        } catch (error) {
          forgetNode(paths, record.run);
          // Another took the claim of a moment ago for an old one: its wall clock has jumped.
          if (errnoOf(error) !== 'ENOENT' || attempt === ATTEMPTS) throw error;
        }
      }
    });
  }

  /** Whether others find this record under its name, and a claim has something to link. */
  get isPresent(): boolean {
    if (identityOfPath(this.claimPath) === null) return false;
    return identityOfPath(this.#path) === identityOfDescriptor(this.#fd);
  }

  /**
   * Replaces the record. Within its page it is one write into existing room: it works on a full disk, and
   * a crash of this process right after it loses nothing. A longer one is replaced as a file.
   */
  write(record: NodeRecord): void {
    const { content, sizeBytes } = this.#encode(record, this.#sizeBytes);
    withStorageErrors(`write ${this.#path}`, () => {
      if (sizeBytes === RECORD_BYTES && this.#sizeBytes === RECORD_BYTES) {
        overwrite(this.#fd, content);
        this.#content = content;
        return;
      }
      // Two pages could be torn by a kill between them: as a whole, then.
      const fd = replaceOpenFile(this.#path, content, lockRecord);
      closeSync(this.#fd);
      this.#fd = fd;
      this.#sizeBytes = sizeBytes;
      this.#content = content;
    });
  }

  /** What later claims of this run say; earlier ones keep what they said. */
  rewriteClaim(record: NodeRecord): void {
    try {
      const claim = Buffer.from(claimText(record));
      replaceFile(this.claimPath, claim);
      this.#claim = claim;
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
    const now = performance.now();
    if (now - this.#touchedAt < TOUCH_INTERVAL_MS) return;
    this.#touchedAt = now;
    const seconds = Date.now() / 1000;
    futimesSync(this.#fd, seconds, seconds);
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** In place: an epoch is a further name of the claim. */
  #restore(): void {
    restore(this.#fd, this.#content);
    let fd: number;
    try {
      fd = openSync(this.claimPath, constants.O_RDWR | constants.O_NONBLOCK);
    } catch {
      // It is made anew with the record.
      return;
    }
    try {
      restore(fd, this.#claim);
    } finally {
      closeSync(fd);
    }
  }

  #encode(record: NodeRecord, least: number): { content: Buffer; sizeBytes: number } {
    const content = JSON.stringify(record);
    const lengthBytes = Buffer.byteLength(content);
    if (lengthBytes > RECORD_LIMIT_BYTES) {
      throw new FailoverError(
        'FAILOVER_REFUSED',
        `Cannot record ${record.sessions.length} sessions of node ${record.node}: ` +
          `the record would have ${lengthBytes} bytes, and ${RECORD_LIMIT_BYTES} are the limit.`,
        { hint: 'End what earlier runs of the workload have left.' },
      );
    }
    const sizeBytes = Math.max(least, lengthBytes > RECORD_BYTES ? RECORD_LIMIT_BYTES : 0);
    return { content: padded(content, sizeBytes), sizeBytes };
  }
}

function restore(fd: number, content: Buffer): void {
  const found = Buffer.allocUnsafe(content.length + 1);
  const length = readSync(fd, found, 0, found.length, 0);
  if (content.equals(found.subarray(0, length))) return;
  try {
    overwrite(fd, content);
    ftruncateSync(fd, content.length);
  } catch (error) {
    // Where it was cut short there may be no room for it by now: tried again at the next look.
    if (!isFull(error)) throw error;
  }
}

const ATTEMPTS = 3;

const TOUCH_INTERVAL_MS = 60_000;
