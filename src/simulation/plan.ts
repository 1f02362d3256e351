// A run as plain data, drawn from a seed: the group, and the trouble it gets.
import { HEALTH_FAULTS } from './faults.ts';
import type { Fault, FaultKind } from './faults.ts';
import type { LeaseKind, Profile } from './profile.ts';
import { drawHealth, drawOrder, drawProfile, drawProxies } from './profile.ts';
import { Random } from './random.ts';

/** All that a run follows from; the same plan and the same code give the same run. */
export interface Plan {
  readonly seed: number;
  readonly nodes: number;
  readonly profile: Profile;
  /** Trouble ends at this time, ms; then the group has to recover. */
  readonly troubleMs: number;
  /** In the order of their times. */
  readonly faults: readonly Fault[];
}

export interface PlanOptions {
  readonly seed: number;
  readonly nodes: number | null;
  /** Of a file if none is given. */
  readonly lease?: LeaseKind;
  /** At least one. */
  readonly kinds: readonly FaultKind[];
}

export function drawPlan({ seed, nodes, lease = 'file', kinds }: PlanOptions): Plan {
  const random = new Random(seed);
  const count = nodes ?? random.pick([2, 3, 3, 5]);
  // From sources of their own: what is drawn of them changes nothing of the other trouble.
  const healthRandom = new Random(seed ^ HEALTH_SEED);
  const profile = {
    ...drawProfile(random, lease),
    order: drawOrder(new Random(~seed)),
    proxies: drawProxies(new Random(seed ^ PROXY_SEED)),
    health: healthRandom.happens(healthShareOf(kinds)) ? drawHealth(healthRandom) : null,
  };
  const troubleMs = random.pick([4_000, 12_000, 30_000]);
  const possible = kinds.filter(
    (kind) => isPossible(kind, { nodes: count, lease }) && !HEALTH_FAULTS.has(kind),
  );
  const chosen = chooseKinds(possible, random);
  const faults: Fault[] = [];
  // Some runs are calm with a fault now and then, in others everything happens at once.
  const pauseMs = random.pick([50, 400, 2_000]);
  for (let atMs = random.between(0, 1_000); atMs < troubleMs;) {
    const kind = chosen[random.below(chosen.length)];
    if (kind === undefined) break;
    faults.push({
      atMs: tenths(atMs),
      kind,
      node: random.below(count),
      forMs: tenths(durationMs(random, profile)),
    });
    atMs += random.happens(0.3) ? random.between(0, 5) : random.between(0, 2 * pauseMs);
  }
  if (profile.health !== null) {
    faults.push(...drawHealthFaults(healthRandom, { kinds, nodes: count, troubleMs }));
    faults.sort((a, b) => a.atMs - b.atMs);
  }
  return { seed, nodes: count, profile, troubleMs, faults };
}

/** How many of the groups ask for the health of their workloads. */
function healthShareOf(kinds: readonly FaultKind[]): number {
  if (kinds.every((kind) => HEALTH_FAULTS.has(kind))) return 1;
  return kinds.some((kind) => HEALTH_FAULTS.has(kind)) ? 0.25 : 0;
}

/** Longer ones than most: an illness is noticed after several checks. */
function drawHealthFaults(
  random: Random,
  { kinds, nodes, troubleMs }: Pick<PlanOptions, 'kinds'> & Pick<Plan, 'nodes' | 'troubleMs'>,
): readonly Fault[] {
  const possible = kinds.filter((kind) => HEALTH_FAULTS.has(kind));
  if (possible.length === 0) return [];
  return Array.from({ length: random.pick([1, 3, 8]) }, () => ({
    atMs: tenths(random.between(0, troubleMs)),
    kind: possible[random.below(possible.length)] ?? 'unhealthy',
    node: random.below(nodes),
    forMs: tenths(random.between(100, random.pick([1_000, 10_000]))),
  }));
}

/** Any numbers: other sources than that of the other trouble. */
const HEALTH_SEED = 0x5eed;
const PROXY_SEED = 0x1b873593;

/** A run with few kinds of trouble goes deeper into each. */
function chooseKinds(possible: readonly FaultKind[], random: Random): readonly FaultKind[] {
  if (random.happens(0.3)) return possible;
  const chosen = possible.filter(() => random.happens(0.25));
  return chosen.length === 0 ? possible : chosen;
}

/** Whether it is there to fail, and somebody promises anything about it. */
export function isPossible(
  kind: FaultKind,
  { nodes, lease }: { readonly nodes: number; readonly lease: LeaseKind },
): boolean {
  // Who was demoted stands by until another has led.
  if (kind === 'demote') return nodes > 1;
  const only = ONLY_WITH[kind];
  return only === undefined || only === lease;
}

/** What is there with one kind of lease only. */
const ONLY_WITH: Readonly<Partial<Record<FaultKind, LeaseKind>>> = {
  'disk-error': 'file',
  'slow-disk': 'file',
  'lost-race': 'file',
  'remove-directory': 'file',
  'remove-epochs': 'file',
  'remove-nodes': 'file',
  'foreign-lock': 'file',
  'store-cut': 'timed',
  'store-down': 'timed',
  'store-slow': 'timed',
  'store-wipe': 'timed',
  'store-lag': 'timed',
  'guard-crash': 'timed',
  freeze: 'timed',
};

/** Short ones hit the moments between two steps, long ones outlast the timeouts. */
function durationMs(random: Random, { settings }: Profile): number {
  const longMs = 4 * settings.heartbeatTimeoutMs;
  return random.happens(0.5) ? random.between(0, 100) : random.between(100, longMs);
}

/** Readable in a transcript. */
function tenths(valueMs: number): number {
  return Math.round(valueMs * 10) / 10;
}
