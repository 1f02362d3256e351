// Plays every case many times and prints, as a table, what the workloads wrote down.
// `npm run hosts -- [--rounds N] [--store NAME] [--case TEXT] [--ttl MS]`
import { parseArgs } from 'node:util';
import { CASES, play } from './support/cases.ts';
import type { Case, Outcome } from './support/cases.ts';
import { lackOfHosts } from './support/lan.ts';
import { Site } from './support/site.ts';
import { SHARED_STORES } from './support/stores.ts';
import type { SharedStore } from './support/stores.ts';
import { lackOfWriter, writerProgram } from './support/writer.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    store: { type: 'string', default: '' },
    case: { type: 'string', default: '' },
    ttl: { type: 'string', default: '3000' },
  },
});

const lack = lackOfHosts() ?? lackOfWriter();
if (lack !== null) {
  process.stderr.write(`Nothing is measured: ${lack}\n`);
  process.exit(1);
}

const cases = CASES.filter(({ name }) => name.includes(values.case));
/** Cases in which something was wrong. */
const failed: string[] = [];
for (const store of SHARED_STORES.filter(({ name }) => name.includes(values.store))) {
  const missing = store.lack();
  if (missing === null) await measure(store);
  else process.stderr.write(`${store.name}: ${missing}\n`);
}
process.exitCode = failed.length > 0 ? 1 : 0;

async function measure(store: SharedStore): Promise<void> {
  const site = await Site.start(store, writerProgram(), Number(values.ttl));
  const outcomes = new Map<Case, Outcome[]>(cases.map((told) => [told, []]));
  try {
    for (let round = 0; round < Number(values.rounds); round += 1) {
      for (const [told, seen] of outcomes) seen.push(await playSaying(site, told));
    }
  } catch (error) {
    failed.push(store.name);
    process.stderr.write(`${String(error)}\n${site.story()}\n`);
  } finally {
    process.stdout.write(tableOf(store.name, site, outcomes));
    await site.stop();
  }
}

async function playSaying(site: Site, told: Case): Promise<Outcome> {
  const outcome = await play(site, told);
  process.stderr.write(`${told.name}: ${JSON.stringify(outcome)}\n`);
  if (outcome.faults.length > 0 || outcome.overlapMs > 0) {
    failed.push(told.name);
    process.stderr.write(`${site.story()}\n`);
  }
  return outcome;
}

function tableOf(
  store: string,
  site: Site,
  outcomes: ReadonlyMap<Case, readonly Outcome[]>,
): string {
  const rows = [...outcomes].map(([told, seen]) => {
    const cells = [
      String(seen.length),
      worst(seen.map(({ overlapMs }) => overlapMs)),
      spread(seen.map(({ untilEndMs }) => untilEndMs)),
      spread(seen.map(({ untilNextMs }) => untilNextMs)),
      spread(seen.map(({ untilHeardMs }) => untilHeardMs)),
      worst(seen.map(({ afterThawMs }) => afterThawMs)),
      String(seen.reduce((sum, { epoch }) => sum + site.refusedOf(epoch), 0)),
    ];
    return `| ${told.name} | ${cells.join(' | ')} |`;
  });
  return [
    `${store}, --lease-ttl ${String(site.ttlMs)}ms; times in ms, median / longest`,
    '',
    '| case | rounds | overlap, longest | old ends | next begins | heard again | after the thaw, longest | refused |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

function known(values: readonly (number | null)[]): readonly number[] {
  return values.filter((value) => value !== null).sort((one, other) => one - other);
}

function worst(values: readonly (number | null)[]): string {
  const last = known(values).at(-1);
  return last === undefined ? '–' : String(Math.ceil(last));
}

function spread(values: readonly (number | null)[]): string {
  const sorted = known(values);
  const median = sorted[Math.floor(sorted.length / 2)];
  return median === undefined ? '–' : `${String(Math.round(median))} / ${worst(values)}`;
}
