// workload.lock, and every file that had its name before and that something still holds.
import { closeSync, constants, openSync } from 'node:fs';
import { identityOfDescriptor, identityOfPath } from './file-identity.ts';
import { FileSight } from './file-sight.ts';
import { KernelLock } from './kernel-lock.ts';

/** A file that was kept open, under a path that works whatever became of its name. */
interface KeptFile {
  readonly fd: number;
  readonly identity: string;
}

/**
 * Keeps the file open that has the name, unlocked: one that is removed or replaced is known as long as
 * something of a run holds its lock, and counts as held.
 */
export class WorkloadLockFile extends KernelLock {
  readonly #sight: FileSight;
  #kept: KeptFile | null = null;
  #displaced: KeptFile[] = [];

  constructor(path: string, sight: FileSight = new FileSight()) {
    super(path);
    this.#sight = sight;
  }

  /** Keeps the file that has the name now. Called at each look: nobody tells of a removal. */
  keep(): void {
    const identity = this.#sight.identityOf(this.path);
    if (identity === null || identity === this.#kept?.identity) return;
    let fd: number;
    try {
      fd = openSync(this.path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch {
      // Gone again, or nothing left to open it with: at the next look.
      return;
    }
    const former = this.#kept;
    this.#kept = { fd, identity: identityOfDescriptor(fd) };
    if (former !== null) this.#displaced = [...this.#displaced, former];
    this.#forgetFree();
  }

  override isFree(): boolean {
    return this.displacedPaths().length === 0 && super.isFree();
  }

  override hasDisplaced(): boolean {
    return this.displacedPaths().length > 0;
  }

  /** The paths of files that lost their name and that something holds; good while this process keeps them open. */
  displacedPaths(): readonly string[] {
    this.#forgetFree();
    const kept = this.#kept;
    const isDisplaced = kept !== null && identityOfPath(this.path) !== kept.identity;
    const last = isDisplaced && isHeld(kept) ? [kept] : [];
    return [...this.#displaced, ...last].map(pathOf);
  }

  close(): void {
    for (const { fd } of [...this.#displaced, ...(this.#kept === null ? [] : [this.#kept])]) {
      closeSync(fd);
    }
    this.#kept = null;
    this.#displaced = [];
  }

  #forgetFree(): void {
    if (this.#displaced.length === 0) return;
    const held = this.#displaced.filter(isHeld);
    for (const file of this.#displaced) if (!held.includes(file)) closeSync(file.fd);
    this.#displaced = held;
  }
}

function isHeld(file: KeptFile): boolean {
  return !new KernelLock(pathOf(file)).isFree();
}

function pathOf({ fd }: KeptFile): string {
  return `/proc/self/fd/${String(fd)}`;
}
