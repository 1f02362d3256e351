// The exact claim of an epoch: a hard link whose name is the number, so two can never claim the same.
import { linkSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FailoverError } from '../../errors.ts';
import { syncDirectory, syncDirectoryMeanwhile, temporaryPath } from './durable-file.ts';
import { statOrNull } from './file-identity.ts';
import { errnoOf, isFull, storageError } from './storage-error.ts';

export type EpochClaim =
  /** `previous`: the highest epoch before this one, 0 when there was none. */
  | { readonly type: 'claimed'; readonly epoch: number; readonly previous: number }
  /** Another claimed meanwhile, or the directory was replaced: what was seen is no longer so. */
  | { readonly type: 'lost-race' };

interface RecordRequest {
  /** The record, written and flushed ahead: the claim itself needs no room on the disk. */
  readonly record: string;
  /**
   * Called when there is no room for the name: some file systems (tmpfs) count one as a file. True: some
   * was made, and the claim is tried once more.
   */
  readonly makeRoom?: () => boolean;
}

export interface EpochClaimRequest extends RecordRequest {
  /** The directory of epochs. */
  readonly epochs: string;
  /** The highest epoch that this node knows of from anywhere. */
  readonly floor: number;
}

/**
 * Claims exactly what was seen + 1, above `floor`. Nobody else can claim it any more; that it survives a
 * loss of power too is what `settleClaim` waits for, and nothing may start before.
 */
export function claimEpoch({ epochs, record, floor, makeRoom }: EpochClaimRequest): EpochClaim {
  const previous = highestEpoch(epochs);
  const epoch = Math.max(previous, floor) + 1;
  if (!Number.isSafeInteger(epoch)) {
    throw new FailoverError(
      'FAILOVER_RECORD_UNREADABLE',
      `Cannot claim an epoch above ${epoch - 1}: no number is left in ${epochs}`,
    );
  }
  try {
    linkMakingRoom(record, join(epochs, String(epoch)), makeRoom);
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'EEXIST' || code === 'ENOENT') return { type: 'lost-race' };
    throw storageError(`claim epoch ${epoch} in ${epochs}`, error);
  }
  // A claimant that looked long ago can claim a number that was pruned since: that claim is void.
  if (highestEpoch(epochs) !== epoch) return { type: 'lost-race' };
  return { type: 'claimed', epoch, previous };
}

/** Makes a claim durable. The disk takes its time for that: what needs no disk can be done meanwhile. */
export async function settleClaim(epochs: string): Promise<void> {
  try {
    await syncDirectoryMeanwhile(epochs);
  } catch (error) {
    throw storageError(`make a claim in ${epochs} durable`, error);
  }
}

function linkMakingRoom(from: string, to: string, makeRoom: EpochClaimRequest['makeRoom']): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (!isFull(error) || makeRoom?.() !== true) throw error;
    linkSync(from, to);
  }
}

/**
 * Puts an epoch that was claimed elsewhere on record; nothing is claimed by it, and it is not durable yet. Where
 * there is no directory of epochs it is made, with this one in it. @throws when it can't.
 */
export function recordEpoch(
  epochs: string,
  { epoch, record, makeRoom }: { readonly epoch: number } & RecordRequest,
): void {
  if (statOrNull(epochs) === null) beginEpochs(epochs, { epoch, record });
  try {
    linkMakingRoom(record, join(epochs, String(epoch)), makeRoom);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}

/** Complete before it has its name: nobody finds it empty, and begins again at 1. */
function beginEpochs(
  epochs: string,
  { epoch, record }: { readonly epoch: number; readonly record: string },
): void {
  const temporary = temporaryPath(epochs);
  try {
    mkdirSync(temporary, { mode: 0o700 });
    linkSync(record, join(temporary, String(epoch)));
    syncDirectory(temporary);
    renameSync(temporary, epochs);
    syncDirectory(dirname(epochs));
  } catch (error) {
    // Another was faster.
    if (errnoOf(error) !== 'ENOTEMPTY' && errnoOf(error) !== 'EEXIST') throw error;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** The highest epoch ever claimed; 0 when there is none. A record that can't be read still counts. */
export function highestEpoch(epochs: string): number {
  return listEpochs(epochs)[0] ?? 0;
}

/** Every epoch there is, highest first. Names that are no epoch are not ours and are left alone. */
export function listEpochs(epochs: string): number[] {
  let names: string[];
  try {
    names = readdirSync(epochs);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return [];
    throw storageError(`list ${epochs}`, error);
  }
  return names
    .filter((name) => EPOCH_NAME.test(name))
    .map(Number)
    .filter(Number.isSafeInteger)
    .sort((a, b) => b - a);
}

/**
 * Removes all but the newest, of which at least one stays; returns how many went. What can't be removed
 * now goes another time.
 */
export function pruneEpochs(epochs: string, kept: number = KEPT_EPOCHS): number {
  let removed = 0;
  try {
    for (const epoch of listEpochs(epochs).slice(Math.max(1, kept))) {
      rmSync(join(epochs, String(epoch)), { force: true });
      removed += 1;
    }
  } catch {
    // The directory may be gone, or not ours to write: nothing depends on it.
  }
  return removed;
}

const KEPT_EPOCHS = 16;

const EPOCH_NAME = /^[1-9]\d{0,15}$/;
