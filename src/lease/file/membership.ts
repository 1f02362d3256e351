// This node's place in its group's directory: made at the start, and anew when it was removed.
import { basename, dirname } from 'node:path';
import type { NodeRecord } from '../lease-store.ts';
import { identityOfPath } from './file-identity.ts';
import type { FileSight } from './file-sight.ts';
import type { ReadFileSystemType } from './file-system-kind.ts';
import type { GroupPaths } from './group-paths.ts';
import { NodeRegistration } from './node-registration.ts';
import { areSessionsGone, forgetNode, refuseOtherHosts, refuseTakenNode } from './node-registry.ts';
import { refuseOtherNamespaces } from './out-of-sight.ts';
import { isRunName } from './record-fields.ts';
import { inTurn } from './registering.ts';
import { openStateDirectory } from './state-directory.ts';
import { errnoOf } from './storage-error.ts';

export interface MembershipOptions {
  readonly stateDir: string;
  readonly record: NodeRecord;
  readonly readFileSystemType: ReadFileSystemType | undefined;
  readonly sight: FileSight;
  /** Monotonic, ms. */
  readonly now: () => number;
  /** Called when the node has registered in a directory that was made anew. Must not throw. */
  readonly onRemade: () => void;
}

/** What was found removed or replaced, and when, on the monotonic clock. */
export interface Removal {
  readonly path: string;
  readonly atMs: number;
}

export class Membership {
  readonly paths: GroupPaths;
  readonly #sight: FileSight;
  readonly #readFileSystemType: ReadFileSystemType | undefined;
  readonly #now: () => number;
  readonly #onRemade: () => void;
  #record: NodeRecord;
  #registration: NodeRegistration;
  /** The directory in which the registration is. */
  #directory: string | null;
  /** The directory of epochs; null while it is yet to be made. */
  #epochs: string | null;
  #removal: Removal | null = null;
  #closed = false;

  /** @throws FAILOVER_NODE_TAKEN, FAILOVER_OTHER_BOOT, FAILOVER_OTHER_NAMESPACE and all that `openStateDirectory` throws. */
  constructor({ stateDir, record, readFileSystemType, sight, now, onRemade }: MembershipOptions) {
    if (!isRunName(record.run)) throw new Error(`not the name of a run: ${record.run}`);
    this.#record = record;
    this.#readFileSystemType = readFileSystemType;
    this.#sight = sight;
    this.#now = now;
    this.#onRemade = onRemade;
    this.paths = this.#openDirectory(stateDir, record.group);
    this.#registration = this.#register(TURN_WAIT_MS);
    this.#directory = identityOfPath(this.paths.directory);
    this.#epochs = identityOfPath(this.paths.epochs);
  }

  get record(): NodeRecord {
    return this.#record;
  }

  /** The last removal of the directory, or of its epochs alone; null: none was found. */
  get removal(): Removal | null {
    return this.#removal;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Whether others still find this node's record: the only trace of a session that has closed the lock. */
  get isRegistered(): boolean {
    return this.#registration.isPresent;
  }

  get claimPath(): string {
    return this.#registration.claimPath;
  }

  /** After the directory, or a part of it that this node needs, was removed: made anew. */
  ensure(): void {
    this.#sight.expire();
    const directory = identityOfPath(this.paths.directory);
    const isSame = directory === this.#directory && this.#registration.isPresent;
    const hasSameEpochs = this.#hasSameEpochs();
    if (isSame && hasSameEpochs && identityOfPath(this.paths.marks) !== null) return;
    if (directory !== this.#directory) this.#noticed(this.paths.directory);
    else if (!hasSameEpochs) this.#noticed(this.paths.epochs);
    this.#openDirectory(dirname(this.paths.directory), basename(this.paths.directory));
    this.#epochs = identityOfPath(this.paths.epochs);
    if (isSame) {
      if (!hasSameEpochs) this.#onRemade();
    } else {
      this.#registerAnew();
    }
    this.#epochs = identityOfPath(this.paths.epochs);
  }

  /** Whoever takes over has to find what this node has started, also where its record alone was removed. */
  keepRegistered(): void {
    if (this.isRegistered) return;
    try {
      this.ensure();
    } catch {
      // Tried again at the next beat.
    }
  }

  rewrite(record: NodeRecord): void {
    this.ensure();
    this.#registration.write(record);
    this.#record = record;
  }

  rewriteClaim(): void {
    this.#registration.rewriteClaim(this.#record);
  }

  /** Makes room for the name of an epoch, once until `keepSpareName`. */
  giveSpareName(): boolean {
    return this.#registration.giveSpareName();
  }

  /** Where there is no room, or no directory, the next claim makes do without. */
  keepSpareName(): void {
    if (this.#closed) return;
    try {
      this.#registration.keepSpareName();
    } catch (error) {
      if (errnoOf(error) === null) throw error;
    }
  }

  touch(): void {
    if (!this.#closed) this.#registration.touch();
  }

  /** Forgets the node, unless sessions of it still run: then the record is for those who empty them. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#registration.close();
    if (areSessionsGone(this.#record.sessions)) forgetNode(this.paths, this.#record.run);
  }

  #noticed(path: string): void {
    this.#removal = { path, atMs: this.#now() };
  }

  /** Epochs that were not there before were made by whoever looked for nodes that know of some. */
  #hasSameEpochs(): boolean {
    const epochs = identityOfPath(this.paths.epochs);
    this.#epochs ??= epochs;
    return this.#epochs === epochs;
  }

  #registerAnew(): void {
    const former = this.#registration;
    // A node that runs waits for nobody here: it comes by again.
    this.#registration = this.#register(0);
    this.#directory = identityOfPath(this.paths.directory);
    former.close();
    this.#onRemade();
  }

  #openDirectory(stateDir: string, group: string): GroupPaths {
    const readFileSystemType = this.#readFileSystemType;
    return openStateDirectory({
      stateDir,
      group,
      ...(readFileSystemType === undefined ? {} : { readFileSystemType }),
    });
  }

  #register(waitMs: number): NodeRegistration {
    const register = (): NodeRegistration => this.#registerInTurn();
    return inTurn(this.paths, this.#record, { waitMs, register });
  }

  #registerInTurn(): NodeRegistration {
    refuseOtherHosts(this.paths, this.#record);
    refuseOtherNamespaces(this.paths, this.#record);
    refuseTakenNode(this.paths, this.#record, false);
    const registration = new NodeRegistration(this.paths, this.#record, this.#sight);
    try {
      refuseOtherNamespaces(this.paths, this.#record);
      refuseTakenNode(this.paths, this.#record, true);
    } catch (error) {
      registration.close();
      forgetNode(this.paths, this.#record.run);
      throw error;
    }
    return registration;
  }
}

/** Far longer than twenty nodes take that register one after the other on a slow disk. */
const TURN_WAIT_MS = 1_000;
