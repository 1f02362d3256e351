// What befalls three hosts and their store, and what has to follow: played by the tests once, by the table often.
import type { Host, Site } from './site.ts';
import { overlapMs } from './runs.ts';
import type { Run } from './runs.ts';

export interface Case {
  readonly name: string;
  /** `a pause`: nobody leads before its end. */
  readonly follows: 'another leads' | 'a pause' | 'nothing';
  /** Gives the moment of the fault, monotonic, ns: what has to be looked up for it takes a while. */
  readonly begin: (stage: Stage) => bigint | Promise<bigint>;
  /** Once that has followed: takes the fault away. Gives the moment from which all of it is gone. */
  readonly end: (stage: Stage) => bigint | Promise<bigint>;
  /** The old workload is there still, and stands still, while another is active. */
  readonly freezes?: true;
  /** Too much like another to be a test of its own. */
  readonly isMeasuredOnly?: true;
}

interface Stage {
  readonly site: Site;
  readonly primary: Host;
  readonly others: readonly Host[];
  readonly run: Run;
}

/** What came of one case, as the workloads wrote it down. */
export interface Outcome {
  /** For how long two were active at once before it was ended, ms. */
  readonly overlapMs: number;
  /** From the fault, or from the end of it where it is nobody's to lead, to the next workload's first write. */
  readonly untilNextMs: number | null;
  /** From the fault to the old workload's last write. */
  readonly untilEndMs: number | null;
  /** Where nobody else is to lead: from the end of the fault until all others hear the primary, or hear it still. */
  readonly untilHeardMs: number | null;
  /** How long what was frozen wrote on once the whole of it was thawed; null: nothing was frozen. */
  readonly afterThawMs: number | null;
  /** That of the old workload. */
  readonly epoch: number;
  readonly faults: readonly string[];
}

export const CASES: readonly Case[] = [
  {
    name: 'the primary and the store hear nothing of each other',
    follows: 'another leads',
    begin: ({ site, primary }) => {
      const at = now();
      site.lan.part(primary.place, site.store);
      return at;
    },
    end: heal,
  },
  {
    name: 'the primary and the other nodes hear nothing of each other',
    follows: 'nothing',
    begin: ({ site, primary, others }) => {
      const at = now();
      for (const { place } of others) site.lan.part(primary.place, place);
      return at;
    },
    end: heal,
  },
  {
    name: 'what the primary says to the other nodes is lost',
    follows: 'nothing',
    begin: ({ site, primary, others }) => {
      const at = now();
      for (const { place } of others) site.lan.lose(primary.place, place);
      return at;
    },
    end: heal,
  },
  {
    name: 'what the other nodes say to the primary is lost',
    follows: 'nothing',
    isMeasuredOnly: true,
    begin: ({ site, primary, others }) => {
      const at = now();
      for (const { place } of others) site.lan.lose(place, primary.place);
      return at;
    },
    end: heal,
  },
  {
    name: 'the other nodes and the store hear nothing of each other',
    follows: 'nothing',
    isMeasuredOnly: true,
    begin: ({ site, others }) => {
      const at = now();
      for (const { place } of others) site.lan.part(place, site.store);
      return at;
    },
    end: heal,
  },
  {
    name: 'the primary is alone',
    follows: 'another leads',
    begin: ({ site, primary, others }) => {
      const at = now();
      for (const { place } of others) site.lan.part(primary.place, place);
      site.lan.part(primary.place, site.store);
      return at;
    },
    end: heal,
  },
  {
    name: 'nobody hears the primary',
    follows: 'another leads',
    isMeasuredOnly: true,
    begin: ({ site, primary, others }) => {
      const at = now();
      for (const { place } of [...others, { place: site.store }]) {
        site.lan.lose(primary.place, place);
      }
      return at;
    },
    end: heal,
  },
  {
    name: 'the primary hears nobody',
    follows: 'another leads',
    isMeasuredOnly: true,
    begin: ({ site, primary, others }) => {
      const at = now();
      for (const { place } of [...others, { place: site.store }]) {
        site.lan.lose(place, primary.place);
      }
      return at;
    },
    end: heal,
  },
  {
    name: 'what the primary asks the store is lost',
    follows: 'another leads',
    begin: ({ site, primary }) => {
      const at = now();
      site.lan.lose(primary.place, site.store);
      return at;
    },
    end: heal,
  },
  {
    name: 'what the store answers the primary is lost',
    follows: 'another leads',
    begin: ({ site, primary }) => {
      const at = now();
      site.lan.lose(site.store, primary.place);
      return at;
    },
    end: heal,
  },
  {
    name: "the primary's host is lost, and comes back",
    follows: 'another leads',
    begin: ({ site, primary }) => site.lose(primary),
    end: ({ site, primary }) => {
      const at = now();
      site.startAgain(primary);
      return at;
    },
  },
  {
    name: "the primary's supervisor is stopped, and goes on",
    follows: 'another leads',
    begin: ({ site, primary }) => {
      const pid = site.supervisorOf(primary);
      const at = now();
      process.kill(pid, 'SIGSTOP');
      return at;
    },
    end: ({ site, primary }) => {
      process.kill(site.supervisorOf(primary), 'SIGCONT');
      return now();
    },
  },
  {
    name: "the primary's host is frozen, and its workload is thawed first",
    follows: 'another leads',
    freezes: true,
    begin: ({ site, primary }) => site.freeze(primary),
    // The worst of all orders: its workload alone, until it has written; only then the rest.
    end: async ({ site, primary, run }) => {
      const pid = site.workloadOf(primary);
      if (pid === null) throw new Error('what was frozen is not there any more');
      process.kill(pid, 'SIGCONT');
      const late = `refused ${String(run.epoch)}`;
      await site.until('a late write', () => site.writes.includes(late));
      return site.thaw(primary);
    },
  },
  {
    name: "the primary's host is frozen, and thawed as a whole",
    follows: 'another leads',
    freezes: true,
    isMeasuredOnly: true,
    begin: ({ site, primary }) => site.freeze(primary),
    end: ({ site, primary }) => site.thaw(primary),
  },
  {
    name: "the store's host is lost, and comes back",
    follows: 'a pause',
    begin: ({ site }) => site.loseStore(),
    end: ({ site }) => {
      const at = now();
      site.startStoreAgain();
      return at;
    },
  },
];

/**
 * Plays one, and waits until all is as before. Where nobody else is to lead, a primary that gets no CPU may lose its
 * lease all the same: that says nothing of the fault, whose own consequences come each time.
 */
export async function play(site: Site, told: Case, attempts = 3): Promise<Outcome> {
  try {
    return await playOnce(site, told);
  } catch (error) {
    if (!(error instanceof ChangedHands) || attempts <= 1) throw error;
    site.lan.heal();
    return play(site, told, attempts - 1);
  }
}

/** One after the other, and nobody was to. */
class ChangedHands extends Error {
  override readonly name = 'ChangedHands';
}

async function playOnce(site: Site, { follows, begin, end, freezes }: Case): Promise<Outcome> {
  const stage = { site, ...(await site.steady()) };
  const { run } = stage;
  site.forgetBefore(run);
  const doubts = stage.others.map(({ node }) => node.timesIn('suspecting'));
  const begun = await begin(stage);
  await FOLLOWS[follows](stage, begun);
  const wavering = follows === 'nothing' ? waveringOf(stage.others, doubts) : [];
  const ended = await end(stage);
  const next = follows === 'nothing' ? null : await site.nextRun(run);
  await site.steady();
  const heard = now();
  const last = site.runs.find(({ epoch }) => epoch === run.epoch)?.last ?? run.last;
  const from = follows === 'a pause' ? ended : begun;
  return {
    overlapMs: next === null || freezes === true ? 0 : overlapMs(next, site.runs),
    untilNextMs: next === null ? null : msFrom(from, next.first),
    untilEndMs: next === null ? null : Math.max(0, msFrom(begun, last)),
    untilHeardMs: next === null ? msFrom(ended, heard) : null,
    afterThawMs: freezes === true ? Math.max(0, msFrom(ended, last)) : null,
    epoch: run.epoch,
    faults: [...site.faultsSince(run, freezes === true ? next : null), ...wavering],
  };
}

/** Those that doubted a primary again and again that leads on. */
function waveringOf(others: readonly Host[], before: readonly number[]): readonly string[] {
  return others.flatMap(({ node }, index) => {
    const doubts = node.timesIn('suspecting') - (before[index] ?? 0);
    return doubts <= DOUBTS_LIMIT ? [] : [`${node.id} doubted it ${String(doubts)} times`];
  });
}

/** One of a node that is cut off, and those of one that is late itself. */
const DOUBTS_LIMIT = 3;

/** Resolves once it is so. */
const FOLLOWS: Readonly<
  Record<Case['follows'], (stage: Stage, begun: bigint) => Promise<unknown>>
> = {
  'another leads': async ({ site, primary, run }) => {
    const next = await site.nextRun(run);
    if (next.node === primary.node.id) throw new Error('the same leads again');
    // It is one that has to know of lower ones.
    await site.until('its first checked write', () =>
      site.writes.includes(`accepted ${String(next.epoch)}`),
    );
  },
  'a pause': async ({ site, primary }) => {
    await site.until('the end of the workload', () => site.workloadOf(primary) === null);
  },
  nothing: async ({ site, run }, begun) => {
    const enough = begun + BigInt(2 * site.ttlMs) * 1_000_000n;
    await site.until('the workload to go on', () => {
      const runs = site.runs.filter(({ epoch }) => epoch >= run.epoch);
      const [next] = runs.slice(1);
      if (next !== undefined) {
        if (overlapMs(next, runs) > 0) throw new Error('two workloads are active');
        throw new ChangedHands('another workload has begun');
      }
      return runs.some(({ last }) => last > enough);
    });
  },
};

function heal({ site }: Stage): bigint {
  const at = now();
  site.lan.heal();
  return at;
}

function now(): bigint {
  return process.hrtime.bigint();
}

function msFrom(begin: bigint, end: bigint): number {
  return Number(end - begin) / 1e6;
}
