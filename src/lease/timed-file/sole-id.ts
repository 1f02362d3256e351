// Which run has the id of a node alone: the last of the names that were given for that id, each of them once.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { runName } from '../file/record-fields.ts';
import type { IsLate } from './file-link.ts';
import { contentOf, exists, giveName, namesIn, removeAll, writeAhead } from './shared-files.ts';
import type { TimedPaths } from './timed-paths.ts';

type Paths = Pick<TimedPaths, 'ids' | 'claims' | 'nodes'>;

interface Taker {
  readonly node: string;
  readonly run: string;
  /** A run that is on record and gone, whose place may be taken; null: none is known to be. */
  readonly instead: string | null;
}

interface Owner {
  /** How often the id was given; 0: never. */
  readonly number: number;
  /** The run that has the id; null: none. */
  readonly run: string | null;
}

/** The run that has the id, whether it is on record or not; null: nobody. */
export async function ownerOf(paths: Paths, node: string): Promise<string | null> {
  return (await lastOwner(paths, node)).run;
}

/** The run that has the id and keeps this one out of it; null: none does. */
export async function rivalIn(paths: Paths, { run, node, instead }: Taker): Promise<string | null> {
  const owner = await ownerOf(paths, node);
  if (owner === null || owner === run || owner === instead) return null;
  return (await exists(join(paths.nodes, owner))) ? owner : null;
}

/**
 * Takes the id for a run that is on record by then, unless another that is has it: null, or that one's run. Of several
 * that try, one gets the next name.
 */
export async function takeId(
  paths: Paths,
  { node, run, instead }: Taker,
  isLate: IsLate,
): Promise<string | null> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const owner = await lastOwner(paths, node);
    if (owner.run === run) return null;
    const isFree =
      owner.run === null || owner.run === instead || !(await exists(join(paths.nodes, owner.run)));
    if (!isFree) return owner.run;
    // Whoever asked has been told that it failed, and by now another may have come and gone.
    if (isLate()) return owner.run;
    const own = join(paths.claims, `0-${randomBytes(6).toString('hex')}`);
    try {
      await writeAhead(own, run);
      if (!(await giveName(own, pathOf(paths, node, owner.number + 1)))) continue;
    } finally {
      await removeAll([own]);
    }
    const last = await lastOwner(paths, node);
    if (last.run !== run) continue;
    // The last one stays: another that has seen it would else give its number again.
    await removeAll(last.earlier.map((number) => pathOf(paths, node, number)));
    if (instead !== null) await removeAll([join(paths.nodes, instead)]);
    return null;
  }
  return (await lastOwner(paths, node)).run;
}

/** Removes what is left of ids whose run is on record no more, when it was given long ago. */
export async function pruneIds(
  paths: Paths,
  isOld: (path: string) => Promise<boolean>,
): Promise<void> {
  const names = await namesIn(paths.ids);
  if (names.length <= KEPT) return;
  // Not always the same ones, which may be those of nodes that live.
  const from = Math.floor(Math.random() * names.length);
  for (const name of [...names, ...names].slice(from, from + PRUNED_AT_ONCE)) {
    const path = join(paths.ids, name);
    const run = runName(await contentOf(path));
    const isOfNobody = run === null || !(await exists(join(paths.nodes, run)));
    if (isOfNobody && (await isOld(path))) await removeAll([path]);
  }
}

async function lastOwner(
  paths: Paths,
  node: string,
): Promise<Owner & { readonly earlier: readonly number[] }> {
  const start = `${node}${SEPARATOR}`;
  const numbers = (await namesIn(paths.ids))
    .filter((name) => name.startsWith(start) && NUMBER.test(name.slice(start.length)))
    .map((name) => Number(name.slice(start.length)))
    .sort((a, b) => b - a);
  const [number = 0, ...earlier] = numbers;
  const run = number === 0 ? null : runName(await contentOf(pathOf(paths, node, number)));
  return { number, run, earlier };
}

function pathOf({ ids }: Paths, node: string, number: number): string {
  return join(ids, `${node}${SEPARATOR}${String(number)}`);
}

/** In no id. */
const SEPARATOR = '~';

const NUMBER = /^[1-9]\d{0,12}$/;

const ATTEMPTS = 4;

/** So few are nobody's burden. */
const KEPT = 64;

/** A share is slow, and each node that comes does its part. */
const PRUNED_AT_ONCE = 16;
