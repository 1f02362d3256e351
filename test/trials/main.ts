// Stops the supervisor of a primary again and again, with a lease in each store whose server is installed, and prints
// as a table what became of its workload.
import { mkdirSync } from 'node:fs';
import { lackOfWriter, writerProgram } from '../hosts/support/writer.ts';
import { Group } from '../support/process-group.ts';
import { number, oneOf, optionsOrEnd } from '../support/tool-options.ts';
import { MOST_LOOPS, startLoops } from './support/busy-loops.ts';
import { TRIAL_STORES } from './support/stores.ts';
import type { TrialServer, TrialStore } from './support/stores.ts';
import { placeOfRuns, trial } from './support/trial.ts';
import type { Trial } from './support/trial.ts';

const STORES = TRIAL_STORES.map(({ name }) => name);
const values = optionsOrEnd({
  name: 'trials',
  about:
    'Stops the supervisor of a primary again and again, and prints what became of its workload.',
  flags: {
    rounds: number({ placeholder: 'N', says: 'trials in each store', fallback: 20, least: 1 }),
    store: oneOf(STORES, { placeholder: 'NAME', says: `only in ${STORES.join(', ')}` }),
    ttl: number({
      placeholder: 'MS',
      says: '--lease-ttl of the nodes',
      fallback: 3000,
      least: 100,
    }),
    load: number({
      placeholder: 'N',
      says: 'busy loops beside them',
      fallback: 0,
      most: MOST_LOOPS,
    }),
  },
  example: '--rounds 5 --store redis',
});
const { ttl: ttlMs, load: loops } = values;

const lack = lackOfWriter();
if (lack !== null) {
  process.stderr.write(`Nothing is tried: ${lack}\n`);
  process.exit(1);
}

const beside = loops === 0 ? '' : `; beside ${String(loops)} busy loops`;
process.stdout.write(`--lease-ttl ${String(ttlMs)}ms${beside}; times in ms

| store | trials | two at once | gone before the lease's end | by, least / median | ends after, longest | next begins after, median / longest | steps down, and follows | the guard waited for the CPU, longest |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
`);
for (const store of TRIAL_STORES.filter(({ name }) => name === (values.store ?? name))) {
  const missing = store.lack();
  if (missing !== null) process.stderr.write(`${store.name}: ${missing}\n`);
  else if (!(await holds(store))) process.exitCode = 1;
}

/** Prints its row; whether all went as it has to. */
async function holds(store: TrialStore): Promise<boolean> {
  const server = await store.start(ttlMs);
  const trials: Trial[] = [];
  try {
    await play(server, trials);
  } catch (error) {
    process.stderr.write(`${store.name}: ${String(error)}\n`);
  } finally {
    await server.stop();
  }
  process.stdout.write(rowOf(store.name, trials));
  const isWell = (seen: Trial): boolean =>
    isApart(seen) && seen.marginMs > 0 && seen.hasSteppedDown;
  return trials.length === values.rounds && trials.every(isWell);
}

/** Each node has a state directory of its own, as if it were on a machine of its own. */
async function play(server: TrialServer, trials: Trial[]): Promise<void> {
  const writer = writerProgram();
  const options = { lease: server.lease, 'lease-ttl': `${String(ttlMs)}ms` };
  const group = new Group({ options });
  mkdirSync(placeOfRuns(group));
  // Nobody checks its epochs here.
  const resource = { RESOURCE_HOST: '127.0.0.1', RESOURCE_PORT: '9' };
  const env = { WRITER_DIR: placeOfRuns(group), ...resource };
  try {
    for (const id of ['a', 'b']) {
      const setup = { run: [writer], env, options: { 'state-dir': group.path(`on-${id}`) } };
      const node = await group.start(id, setup);
      await group.reaches(node, id === 'a' ? 'serving' : 'watching');
    }
    const endLoops = startLoops(loops);
    try {
      for (let count = 0; count < values.rounds; count += 1) {
        const seen = await trial(group, server);
        process.stderr.write(`${JSON.stringify(seen)}\n`);
        trials.push(seen);
      }
    } finally {
      endLoops();
    }
    await group.endInOrder();
  } catch (error) {
    process.stderr.write(`${group.story()}\n`);
    throw error;
  } finally {
    await group.clear();
  }
}

function rowOf(name: string, trials: readonly Trial[]): string {
  const count = (isSo: (seen: Trial) => boolean): string => String(trials.filter(isSo).length);
  const inOrder = (of: (seen: Trial) => number): readonly number[] =>
    trials.map(of).sort((one, other) => one - other);
  const margins = inOrder(({ marginMs }) => marginMs);
  const ends = inOrder(({ untilEndMs }) => untilEndMs);
  const nexts = inOrder(({ untilNextMs }) => untilNextMs);
  const cells = [
    ...[name, String(trials.length), count((seen) => !isApart(seen))],
    count(({ marginMs }) => marginMs > 0),
    `${whole(margins[0])} / ${whole(median(margins))}`,
    whole(ends.at(-1)),
    `${whole(median(nexts))} / ${whole(nexts.at(-1))}`,
    count(({ hasSteppedDown }) => hasSteppedDown),
    whole(inOrder(({ guardWaitedMs }) => guardWaitedMs).at(-1)),
  ];
  return `| ${cells.join(' | ')} |\n`;
}

function isApart({ overlapMs, isAlone }: Trial): boolean {
  return overlapMs === 0 && isAlone;
}

function median(sorted: readonly number[]): number | undefined {
  return sorted[Math.floor(sorted.length / 2)];
}

function whole(value: number | undefined): string {
  return value === undefined ? '–' : String(Math.floor(value));
}
