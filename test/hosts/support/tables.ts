// What was seen of the cases, as the tables of the manual: parted hosts that agree by themselves have one of their own.
import type { Case, Outcome } from './case.ts';
import type { Site } from './site.ts';

type Seen = readonly Outcome[];

export function tablesOf(store: string, site: Site, outcomes: ReadonlyMap<Case, Seen>): string {
  const played = [...outcomes];
  const parted = played.filter(([{ sides }]) => sides !== undefined);
  const others = played.filter(([{ sides }]) => sides === undefined);
  return [
    `${store}, --lease-ttl ${String(site.ttlMs)}ms; times in ms, median / longest`,
    ...table(PARTED, parted, site),
    ...table(COLUMNS, others, site),
    '',
  ].join('\n');
}

type Columns = Readonly<Record<string, (seen: Seen, site: Site) => string>>;

const COLUMNS: Columns = {
  rounds: (seen) => String(seen.length),
  'changed hands': (seen) => String(seen.reduce((sum, { changes }) => sum + changes, 0)),
  'overlap, longest': (seen) => worst(seen.map(({ overlapMs }) => overlapMs)),
  'old ends': (seen) => spread(seen.map(({ untilEndMs }) => untilEndMs)),
  'next begins': (seen) => spread(seen.map(({ untilNextMs }) => untilNextMs)),
  'heard again': (seen) => spread(seen.map(({ untilHeardMs }) => untilHeardMs)),
  'after the thaw, longest': (seen) => worst(seen.map(({ afterThawMs }) => afterThawMs)),
  refused,
};

const PARTED: Columns = {
  rounds: (seen) => String(seen.length),
  'at once, most': (seen) => worst(seen.map(({ atOnce }) => atOnce)),
  'more than one, in all': (seen) => spread(seen.map(({ overlapMs }) => overlapMs)),
  'next begins': (seen) => spread(seen.map(({ untilNextMs }) => untilNextMs)),
  'one again, after the heal': (seen) => spread(seen.map(({ untilOneMs }) => untilOneMs)),
  'under one epoch': (seen) => String(seen.filter(({ isEpochShared }) => isEpochShared).length),
  refused,
};

function table(
  columns: Columns,
  played: readonly (readonly [Case, Seen])[],
  site: Site,
): readonly string[] {
  if (played.length === 0) return [];
  const titles = ['case', ...Object.keys(columns)];
  const rows = played.map(([{ name }, seen]) => {
    const cells = Object.values(columns).map((of) => of(seen, site));
    return `| ${[name, ...cells].join(' | ')} |`;
  });
  return ['', `| ${titles.join(' | ')} |`, `|${' --- |'.repeat(titles.length)}`, ...rows];
}

/** Also what was on its way, and arrived later. Where nobody else leads the epoch is that of the next case as well. */
function refused(seen: Seen, site: Site): string {
  const changed = seen.filter(({ untilNextMs }) => untilNextMs !== null);
  const count = changed.reduce((sum, { epoch }) => sum + site.refusedOf(epoch), 0);
  return changed.length === 0 ? '–' : String(count);
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
