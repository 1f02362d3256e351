// Plays every case many times and prints, as a table, what the workloads wrote down.
import type { Case, Outcome } from './support/case.ts';
import { lackOfHosts } from './support/lan.ts';
import { play } from './support/play.ts';
import { Site } from './support/site.ts';
import { SHARED_STORES } from './support/stores.ts';
import type { SharedStore } from './support/stores.ts';
import { tablesOf } from './support/tables.ts';
import { lackOfWriter, writerProgram } from './support/writer.ts';
import { number, oneOf, optionsOrEnd, words } from '../support/tool-options.ts';

const NAMES = SHARED_STORES.map(({ name }) => name);
const ALL_CASES = [...new Set(SHARED_STORES.flatMap(({ cases }) => cases.map(({ name }) => name)))];
const values = optionsOrEnd({
  name: 'hosts',
  about:
    'Cuts, loses and freezes hosts that share a lease, and prints what their workloads wrote down.',
  flags: {
    rounds: number({ placeholder: 'N', says: 'how often each is played', fallback: 20, least: 1 }),
    store: oneOf(NAMES, { placeholder: 'NAME', says: `only with ${NAMES.join(', ')}` }),
    case: words({
      placeholder: 'TEXT',
      says: 'only the cases whose names have it',
      takes: 'a part of the name of a case',
      isOne: (text) => ALL_CASES.some((name) => name.includes(text)),
    }),
    ttl: number({
      placeholder: 'MS',
      says: '--lease-ttl of the nodes',
      fallback: 3000,
      least: 100,
    }),
  },
  notes: [`Cases:\n${ALL_CASES.map((name) => `  ${name}`).join('\n')}`],
  example: '--rounds 8 --store redis',
});

const lack = lackOfHosts() ?? lackOfWriter();
if (lack !== null) {
  process.stderr.write(`Nothing is measured: ${lack}\n`);
  process.exit(1);
}

/** Cases in which something was wrong. */
const failed: string[] = [];
for (const store of SHARED_STORES.filter(({ name }) => name === (values.store ?? name))) {
  const missing = store.lack();
  if (missing === null) await measure(store);
  else process.stderr.write(`${store.name}: ${missing}\n`);
}
process.exitCode = failed.length > 0 ? 1 : 0;

async function measure(store: SharedStore): Promise<void> {
  const site = await Site.start(store, writerProgram(), values.ttl);
  const cases = store.cases.filter(({ name }) => name.includes(values.case ?? ''));
  const outcomes = new Map<Case, Outcome[]>(cases.map((told) => [told, []]));
  try {
    for (let round = 0; round < values.rounds; round += 1) {
      for (const [told, seen] of outcomes) seen.push(await playSaying(site, told));
    }
  } catch (error) {
    failed.push(store.name);
    process.stderr.write(`${String(error)}\n${site.story()}\n`);
  } finally {
    process.stdout.write(tablesOf(store.name, site, outcomes));
    await site.stop();
  }
}

async function playSaying(site: Site, told: Case): Promise<Outcome> {
  const outcome = await play(site, told);
  process.stderr.write(`${told.name}: ${JSON.stringify(outcome)}\n`);
  if (outcome.faults.length > 0 || (told.sides === undefined && outcome.overlapMs > 0)) {
    failed.push(told.name);
    process.stderr.write(`${site.story()}\n`);
  }
  return outcome;
}
