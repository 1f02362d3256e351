// A promotion played once with nothing at stake: what was never run is slow the first time, and the first
// time of a standby is the one that counts.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventBody } from '../core/event.ts';
import { initialState } from '../core/state.ts';
import type { LeaseObservation } from '../core/state.ts';
import type { Settings } from '../core/settings.ts';
import { transition } from '../core/transition.ts';
import { FileLease } from '../lease/file/file-lease.ts';
import type { NodeRecord } from '../lease/lease-store.ts';
import { spawnGated } from '../workload/gate.ts';

/** More than once: code is compiled in stages, and the second is the one that pays. */
const ROUNDS = 3;

export interface RehearsalParts {
  readonly settings: Settings;
  readonly record: Omit<NodeRecord, 'v' | 'sessions'>;
  /** Looks for leftovers of the group without signalling anything. */
  readonly look: () => void;
  /** Whether a promotion starts processes. */
  readonly spawns: boolean;
}

/** Takes and releases a lease in a directory of its own. What fails here is slower later, and no more. */
export async function rehearse({ settings, record, look, spawns }: RehearsalParts): Promise<void> {
  const stateDir = mkdtempSync(join(tmpdir(), 'failover-rehearsal-'));
  try {
    const lease = FileLease.open({ stateDir, record });
    for (let round = 0; round < ROUNDS; round += 1) {
      playThrough(settings);
      await lease.acquire(0);
      lease.verify();
      look();
      await lease.release();
    }
    await lease.close();
    if (spawns) await spawnNothing();
  } finally {
    rmSync(stateDir, { recursive: true, force: true });
  }
}

/** A gate that closes without having opened. */
async function spawnNothing(): Promise<void> {
  const gated = await spawnGated({
    command: ['true'],
    environment: {},
    lockFd: null,
    deathSignal: null,
    output: 'inherit',
  });
  gated.close();
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
  { type: 'lease-granted', epoch: 2, previous: 'a' },
  { type: 'workload-armed' },
  { type: 'leftovers-cleared', ended: 0 },
  { type: 'workload-activated' },
  { type: 'workload-ready' },
  { type: 'hook-finished', hook: 'promote', ok: true, detail: '' },
];
