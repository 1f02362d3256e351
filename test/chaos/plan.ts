// The plan of a case as plain data, drawn from a seed: the group, and the faults of each round.
import { Random } from '../../src/simulation/random.ts';
import { drawProfile } from './profile.ts';
import type { Profile } from './profile.ts';

/** Each with what it needs, beside a group; see `faults/`. */
export const FAULT_KINDS = [
  'kill-primary',
  'kill-workload',
  'kill-both',
  'kill-standby',
  'kill-all',
  'stop-primary',
  'stop-workload',
  'stop-both',
  'stop-standby',
  'stop-all',
  'flap-primary',
  'term-primary',
  'term-standby',
  'suspend-primary',
  'kill-in-promotion',
  'stop-in-promotion',
  'kill-in-demotion',
  'stop-in-demotion',
  'remove-state-dir',
  'remove-group-dir',
  'replace-group-dir',
  'remove-epochs',
  'remove-nodes',
  'remove-claims',
  'remove-marks',
  'remove-lock-file',
  'replace-lock-file',
  'spoil-records',
  'remove-sockets',
  'remove-socket-dir',
  'fill-disk',
  'starve',
  'set-clock',
  'few-descriptors',
  'no-descriptors',
  'fuzz-rpc',
  'fuzz-bus',
  'promote',
  'promote-force',
  'demote',
  'pause',
  'check',
  'stop-node',
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

export interface Fault {
  readonly kind: FaultKind;
  /** After the round began, ms. */
  readonly atMs: number;
  /** How long it lasts, for what ends, ms. */
  readonly forMs: number;
  /** Which of the nodes, files or phases it could be: any number, taken modulo what there is. */
  readonly choice: number;
}

export interface CasePlan {
  readonly seed: number;
  readonly index: number;
  readonly profile: Profile;
  /** The state directory is a small file system of its own. */
  readonly smallDisk: boolean;
  /** The nodes have a wall clock that can be set. */
  readonly ownClock: boolean;
  readonly rounds: readonly (readonly Fault[])[];
}

export interface PlanOptions {
  readonly seed: number;
  readonly index: number;
  /** At least one. */
  readonly kinds: readonly FaultKind[];
  readonly rounds?: number;
  /** Workloads that are left out. */
  readonly without?: readonly string[];
  readonly escape?: boolean;
}

/** The same for the same numbers, whatever the machine does. */
export function drawCase(options: PlanOptions): CasePlan {
  const { seed, index, kinds, rounds: count = ROUNDS, without = [], escape = false } = options;
  const random = new Random(Math.imul(seed, 7919) + index);
  const drawn = drawProfile(random, { index, without });
  const profile: Profile = escape ? escaping(drawn) : drawn;
  const possible = kinds.filter((kind) => isPossible(kind, profile));
  const deck = shuffled(kinds, new Random(seed));
  const rounds = Array.from({ length: count }, (_, round) => {
    const first = deck[(index * count + round) % deck.length];
    const leads = first !== undefined && isPossible(first, profile);
    return drawRound(random, { first: leads ? first : null, possible, profile });
  });
  const has = (wanted: FaultKind): boolean => rounds.flat().some(({ kind }) => kind === wanted);
  const [smallDisk, ownClock] = [has('fill-disk'), has('set-clock')];
  return { seed, index, profile, smallDisk, ownClock, rounds };
}

/** So many that one group sees different things, so few that many groups are seen. */
export const ROUNDS = 5;

function escaping(profile: Profile): Profile {
  return { ...profile, nodes: 3, standby: 'cold', orphan: 'stop', workload: 'escaping' };
}

interface RoundOptions {
  /** The first fault: every kind has its turn, one case after the other; null: any. */
  readonly first: FaultKind | null;
  readonly possible: readonly FaultKind[];
  readonly profile: Profile;
}

function drawRound(random: Random, { first, possible, profile }: RoundOptions): Fault[] {
  const count = random.pick([1, 1, 2, 3]);
  const longMs = 3 * profile.timings.heartbeatTimeoutMs;
  const faults: Fault[] = [];
  let atMs = 0;
  for (let i = 0; i < count; i += 1) {
    const drawn = possible[random.below(possible.length)];
    const kind = i === 0 ? (first ?? drawn) : drawn;
    if (kind === undefined) break;
    // Short ones end between two steps of others, long ones outlast the timeouts.
    const forMs = random.happens(0.4) ? random.between(1, 100) : random.between(100, longMs);
    faults.push({ kind, atMs, forMs: Math.round(forMs), choice: random.below(1000) });
    // Half of them come upon what the one before has begun.
    atMs += Math.round(random.happens(0.5) ? random.between(0, 30) : random.between(30, longMs));
  }
  return faults;
}

function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  return items
    .map((item) => ({ item, place: random.next() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}

/** Whether somebody promises anything about it. */
export function isPossible(kind: FaultKind, { workload, standby }: Profile): boolean {
  // What keeps no descriptor is known by its record alone: without the directory it is forgotten.
  if (FORGETTING.includes(kind)) return workload !== 'closing' && workload !== 'escaping';
  // The witness would read its epoch from a role file that found no room.
  if (kind === 'fill-disk') return standby !== 'hot';
  return true;
}

const FORGETTING: readonly FaultKind[] = [
  'remove-state-dir',
  'remove-group-dir',
  'replace-group-dir',
  'remove-nodes',
  'spoil-records',
] as const;
