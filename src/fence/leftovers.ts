// Empties what earlier runs left: every process of theirs ends before anything starts again.
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import type { NodeRecord, SessionRecord } from '../lease/lease-store.ts';
import { findLeftovers } from './find-leftovers.ts';
import type { Leftovers } from './find-leftovers.ts';
import type { GroupMark } from './process-view.ts';
import { SignalLadder } from './signal-ladder.ts';

export interface LeftoverSources extends GroupMark {
  /** This node's run: of its sessions only `ownEndedSessions` are looked at. */
  readonly run: string;
  /** Of this run: each process that it starts is told, and no other is. */
  readonly roleFile: string;
  readonly workloadLockPath: string;
  /** The paths of files that had that name before and are still held. */
  readonly displacedLockPaths: () => readonly string[];
  readonly isWorkloadLockFree: () => boolean;
  /** Every registered node, those of dead supervisors too. */
  readonly listNodes: () => readonly NodeRecord[];
  /** Whether a record was removed that is not among these: the environment of each process is asked then. */
  readonly missesRecordIn: (nodes: readonly NodeRecord[]) => boolean;
  /** Whether a living node keeps this very record; one that was put back says nothing of the present. */
  readonly isKept: (node: NodeRecord) => boolean;
  /** What these nodes started in other pid namespaces and may run still. */
  readonly unseenRemains: (nodes: readonly NodeRecord[]) => readonly Remains[];
  /** Called when nothing is left. */
  readonly cleared: () => void;
  /** Sessions of this run whose main process has ended: not an armed gate, not a hot standby. */
  readonly ownEndedSessions: () => readonly SessionRecord[];
}

/** What is waited for and never signalled, and why. */
export interface Remains {
  readonly description: string;
  readonly why: string;
}

export type ClearOutcome =
  | { readonly type: 'cleared'; readonly ended: number }
  | { readonly type: 'remain'; readonly detail: string };

/** How long a leftover may take to end, ms. */
export interface Graces {
  /** The grace of what is told to end now. */
  readonly fenceGraceMs: number;
  /** An orphan that the kernel told when its supervisor died: it is stopping as its owner set it to. */
  readonly stopGraceMs: number;
}

/**
 * SIGTERM with SIGCONT to each proved leftover, SIGKILL after its grace; looked for anew at each poll,
 * since they fork. Done within the longer grace + 2.5 s. Null: `signal` was aborted.
 */
export async function clearLeftovers(
  sources: LeftoverSources,
  graces: Graces,
  signal: AbortSignal,
): Promise<ClearOutcome | null> {
  const ladder = new SignalLadder(Math.max(graces.fenceGraceMs, graces.stopGraceMs));
  let othersSinceMs: number | null = null;
  let pauseMs = FIRST_PAUSE_MS;
  for (;;) {
    const found = findLeftovers(sources, graces);
    const { sent } = ladder;
    const climbing = ladder.step(found.targets);
    if (found.lockIsFree && found.targets.length === 0 && found.others.length === 0) {
      return { type: 'cleared', ended: ladder.signalled };
    }
    if (climbing) {
      othersSinceMs = null;
    } else {
      // Nothing more can be done about these; many end by themselves within moments.
      othersSinceMs ??= performance.now();
      if (performance.now() - othersSinceMs >= OTHERS_WAIT_MS) {
        return { type: 'remain', detail: describeRemains(found, ladder) };
      }
    }
    const isNew = ladder.sent > sent;
    pauseMs = isNew ? FIRST_PAUSE_MS : Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS);
    await pause(Math.min(pauseMs, ladder.dueInMs));
    if (signal.aborted) return null;
  }
}

const FIRST_PAUSE_MS = 2;
const LONGEST_PAUSE_MS = 25;

/** How long to wait for what may not be signalled before it is named to the caller. */
const OTHERS_WAIT_MS = 250;

/** The most processes that one message names. */
const NAMED = 5;

function describeRemains(found: Leftovers, ladder: SignalLadder): string {
  const remains = [
    ...found.targets.map((target) => ladder.describe(target)),
    ...found.others.map(({ description, why }) => `${description}: ${why}`),
  ];
  if (remains.length === 0) {
    return 'the workload lock is held by a process that this user cannot inspect';
  }
  const more = remains.length - NAMED;
  const tail = more > 0 ? [`${String(more)} more`] : [];
  return [...remains.slice(0, NAMED), ...tail].join('; ');
}
