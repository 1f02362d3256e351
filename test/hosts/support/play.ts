// Plays a case: by the tests once, for the table often.
import { msFrom, now } from './case.ts';
import type { Case, Outcome, Stage } from './case.ts';
import { faultsOf, partedFaultsOf, together } from './runs.ts';
import type { Run } from './runs.ts';
import type { Site } from './site.ts';

/**
 * Plays one, and waits until all is as before. Where nobody else is to lead, a primary that gets no CPU may lose its
 * lease all the same: that says nothing of the fault, whose own consequences come each time.
 */
export async function play(site: Site, told: Case, changes = 0): Promise<Outcome> {
  try {
    return { ...(await playOnce(site, told)), changes };
  } catch (error) {
    if (!(error instanceof ChangedHands) || changes >= CHANGES_LIMIT) throw error;
    site.lan.heal();
    return play(site, told, changes + 1);
  }
}

const CHANGES_LIMIT = 2;

/** One after the other, and nobody was to. */
class ChangedHands extends Error {
  override readonly name = 'ChangedHands';
}

async function playOnce(site: Site, told: Case): Promise<Omit<Outcome, 'changes'>> {
  const { follows, freezes } = told;
  const stage = { site, ...(await site.steady()) };
  const { run } = stage;
  site.forgetBefore(run);
  const doubts = stage.others.map(({ node }) => node.timesIn('suspecting'));
  const begun = await told.begin(stage);
  await FOLLOWS[follows](stage, begun, told);
  const wavering = follows === 'nothing' ? waveringOf(stage, doubts, told) : [];
  const ended = await told.end(stage);
  const next = follows === 'nothing' ? null : await site.nextRun(run);
  const last = await site.steady();
  const heard = now();
  const runs = site.runs.filter((one) => one.last > begun || isSame(one, run));
  const oldEnd = runs.find((one) => isSame(one, run))?.last ?? run.last;
  // What stood still was not active, and then wrote on for a moment that is told by itself.
  const active = freezes === true ? runs.filter((one) => !isSame(one, run)) : runs;
  const { ms: overlapMs, most, end: until } = together(active, begun);
  const whole = [...faultsOf(aloneFrom(run, runs), freezes === true ? next : null), ...wavering];
  const parted = told.sides?.(stage).map((side) => side.map(({ node }) => node.id));
  return {
    overlapMs,
    atOnce: most,
    untilNextMs: next === null ? null : msFrom(follows === 'a pause' ? ended : begun, next.first),
    untilEndMs: next === null || parted !== undefined ? null : Math.max(0, msFrom(begun, oldEnd)),
    untilHeardMs: next === null ? msFrom(ended, heard) : null,
    afterThawMs: freezes === true ? Math.max(0, msFrom(ended, oldEnd)) : null,
    untilOneMs: parted === undefined ? null : Math.max(0, msFrom(ended, until ?? ended)),
    isEpochShared: runs.some(({ epoch }, index) => runs[index - 1]?.epoch === epoch),
    epoch: run.epoch,
    faults: parted === undefined ? whole : partedFaultsOf(runs, parted, last.run),
  };
}

/** Whether the first one itself was alone was told when it was the next. */
function aloneFrom(run: Run, runs: readonly Run[]): readonly Run[] {
  return runs.map((one) => (isSame(one, run) ? { ...one, isAlone: true } : one));
}

/** Those that doubted a primary again and again that leads on, and those that a cut did not reach. */
function waveringOf(
  { others }: Stage,
  before: readonly number[],
  { isNoticed }: Case,
): readonly string[] {
  return others.flatMap(({ node }, index) => {
    const doubts = node.timesIn('suspecting') - (before[index] ?? 0);
    const isWell = doubts <= DOUBTS_LIMIT && (doubts > 0 || isNoticed !== true);
    return isWell ? [] : [`${node.id} doubted it ${String(doubts)} times`];
  });
}

/** One of a node that is cut off, and those of one that is late itself. */
const DOUBTS_LIMIT = 3;

/** Resolves once it is so. */
const FOLLOWS: Readonly<
  Record<Case['follows'], (stage: Stage, begun: bigint, told: Case) => Promise<unknown>>
> = {
  'another leads': async ({ site, primary, run }) => {
    const next = await site.nextRun(run);
    if (next.node === primary.node.id) throw new Error('the same leads again');
    // It is one that has to know of lower ones.
    await site.until('its first checked write', () =>
      site.writes.includes(`accepted ${String(next.epoch)}`),
    );
  },
  'each side leads': async (stage, begun, { sides }) => {
    const { site, primary, run } = stage;
    const cutOff = sides?.(stage).filter((side) => !side.includes(primary)) ?? [];
    for (const side of cutOff) {
      const ids = side.map(({ node }) => node.id);
      await site.until(`a primary among ${ids.join(' and ')}`, () =>
        site.runs.find(({ node, first }) => ids.includes(node) && first > begun),
      );
    }
    // The first one leads on, and has a lower epoch; one that got no CPU has begun anew.
    await site.until('a refused write of the lower epoch', () => {
      const isAnew = site.runs.some(({ node, first }) => node === primary.node.id && first > begun);
      return isAnew || site.writes.includes(`refused ${String(run.epoch)}`);
    });
    const enough = begun + BigInt(PARTED_TTLS * site.ttlMs) * 1_000_000n;
    await site.until('the partition to last', () => now() > enough);
  },
  'a pause': async ({ site, primary }) => {
    await site.until('the end of the workload', () => site.workloadOf(primary) === null);
  },
  nothing: async ({ site }, begun) => {
    const enough = begun + BigInt(2 * site.ttlMs) * 1_000_000n;
    await site.until('the workload to go on', () => {
      const { runs } = site;
      if (together(runs, begun).ms > 0) throw new Error('two workloads are active');
      const later = runs.filter(({ first }) => first > begun);
      if (later.some(({ isAlone }) => !isAlone)) throw new Error('two workloads are there');
      if (later.length > 0) throw new ChangedHands('another workload has begun');
      return runs.some(({ last }) => last > enough);
    });
  },
};

/** So many leases long each side has a primary of its own, for two of them or less. */
const PARTED_TTLS = 3;

function isSame(one: Run, other: Run): boolean {
  return one.node === other.node && one.first === other.first;
}
