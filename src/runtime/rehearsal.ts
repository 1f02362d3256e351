// A promotion played with nothing at stake: what was never run is slow the first time, and the first time
// of a standby is the one that counts. What it takes here and now is what a takeover is predicted to take.
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { EventBody } from '../core/event.ts';
import { initialState } from '../core/state.ts';
import type { LeaseObservation } from '../core/state.ts';
import type { Settings } from '../core/settings.ts';
import { transition } from '../core/transition.ts';
import { FileLease } from '../lease/file/file-lease.ts';
import { groupPaths } from '../lease/file/group-paths.ts';
import { listNodes } from '../lease/file/node-registry.ts';
import type { NodeRecord } from '../lease/lease-store.ts';
import { spawnGated } from '../workload/gate.ts';
import type { GatedProcess } from '../workload/gate.ts';
import { monotonicNow } from './clock.ts';

/** More than once: code is compiled in stages, and the second is the one that pays. */
const ROUNDS = 3;

export interface RehearsalParts {
  readonly settings: Settings;
  readonly record: Omit<NodeRecord, 'v' | 'sessions'>;
  /** The group's own: what a claim takes depends on its file system. */
  readonly directory: string;
  /** Looks for leftovers of the group without signalling anything. */
  readonly look: () => void;
  /** Whether a promotion starts processes: the command, or a hook. */
  readonly spawns: boolean;
}

/**
 * Takes and releases a lease in a directory of its own, and starts nothing. What fails here is slower
 * later, and no more.
 *
 * @returns the median of its rounds, ms: from a loss that is noticed to the workload's start.
 */
export async function rehearse(parts: RehearsalParts): Promise<number> {
  const { directory, record, settings, spawns } = parts;
  removeAbandoned(directory);
  const stateDir = join(directory, `${PREFIX}${record.run}`);
  try {
    mkdirSync(stateDir, { mode: 0o700 });
    const lease = FileLease.open({ stateDir, record, environment: NOBODY_ELSE });
    try {
      const rounds: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) rounds.push(await playOnce(lease, parts));
      if (spawns && !spawnsBetween(settings)) await ended(await spawnGated(NOTHING));
      return median(rounds);
    } finally {
      await lease.close();
    }
  } finally {
    rmSync(stateDir, { recursive: true, force: true });
  }
}

const PREFIX = 'rehearsal-';

/** Nothing can be left of a directory that was never there: no search of all processes for it. */
const NOBODY_ELSE = {
  findDeletedHolders: () => [],
  findFormerNotes: () => ({ epoch: 0, lockfile: null, holders: [] }),
};

/** Left by nodes that were killed while they rehearsed and are no longer on record. */
function removeAbandoned(directory: string): void {
  const known = new Set(listNodes(groupPaths(directory)).map(({ run }) => PREFIX + run));
  for (const name of readdirSync(directory)) {
    if (!name.startsWith(PREFIX) || known.has(name)) continue;
    rmSync(join(directory, name), { recursive: true, force: true });
  }
}

/** All that a takeover does, in its order; the gate that it prepares is closed without having opened. */
async function playOnce(lease: FileLease, { settings, look }: RehearsalParts): Promise<number> {
  const startedAt = monotonicNow();
  playThrough(settings);
  const lock = lease.local.workloadLock.open();
  const gate = spawnsBetween(settings) ? spawnGated(NOTHING) : null;
  try {
    await Promise.all([lease.acquire(0), gate]);
    lease.verify();
    look();
    lock.tryLock();
    lease.local.setSessions([]);
    return monotonicNow() - startedAt;
  } finally {
    lock.close();
    // Awaited also in a round that failed: a gate that goes on waiting would keep this process from ending.
    if (gate !== null) await ended(await gate);
    await lease.release();
  }
}

/** Whether the workload's process is spawned between the loss and its start; other spawns come elsewhere. */
function spawnsBetween({ hasWorkload, standby }: Settings): boolean {
  return hasWorkload && standby === 'cold';
}

const NOTHING = {
  command: ['true'],
  environment: {},
  lockFd: null,
  deathSignal: null,
  output: 'inherit',
} as const;

function ended(gate: GatedProcess): Promise<void> {
  return new Promise((resolve) => {
    if (gate.end() !== null) resolve();
    gate.onEnd(() => {
      resolve();
    });
    gate.close();
  });
}

/** To a tenth of a millisecond. */
function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round((sorted[Math.floor(sorted.length / 2)] ?? 0) * 10) / 10;
}

/** The core's part of a takeover, from the loss to the announcement. */
function playThrough(settings: Settings): void {
  let state = initialState(0, 1);
  let at = 0;
  for (const event of TAKEOVER) {
    at += 1;
    state = transition(state, { ...event, at }, settings).state;
  }
}

const OBSERVATION: LeaseObservation = {
  epoch: 1,
  held: true,
  holder: { node: 'a', run: 'a', endpoints: { bus: '', rpc: '' } },
  recordUnreadable: false,
  touch: null,
  paused: false,
};

const TAKEOVER: readonly EventBody[] = [
  { type: 'started' },
  { type: 'lease-observed', observation: OBSERVATION },
  { type: 'connection-lost', run: 'a' },
  { type: 'workload-armed' },
  { type: 'lease-granted', epoch: 2, previous: 'a', granted: null },
  { type: 'workload-armed' },
  { type: 'leftovers-cleared', ended: 0 },
  { type: 'workload-activated' },
  { type: 'workload-ready' },
  { type: 'hook-finished', hook: 'promote', ok: true, detail: '' },
];
