// Everything that can be told of a group now: by its nodes, by the journals of those that don't answer, by a server.
// For a terminal all of it at once, for HTTP what may have changed since the look before.
import type { Takeover } from '../../core/state.ts';
import { FailoverError } from '../../errors.ts';
import { journalOfRun, journalRuns } from '../../journal/find-journal.ts';
import type { FoundJournal } from '../../journal/find-journal.ts';
import { replayJournal } from '../../journal/replay.ts';
import type { StoreEvent } from '../../lease/remote-store.ts';
import { monotonicNow } from '../../runtime/clock.ts';
import { readTakeover } from '../../transport/checks.ts';
import { transitionsIn } from '../account.ts';
import { ask, livingNodes } from '../client.ts';
import type { GroupSnapshot, SeenNode } from '../client.ts';
import { readNodeEvents } from '../node-events.ts';
import type { OwnTransition } from '../node-events.ts';
import { withDurations } from './event.ts';
import type { GroupEvent, Strand } from './event.ts';

/** How long a node may take to tell, ms. */
const ANSWER_LIMIT_MS = 1_000;

/** The most journals that are read at a time: nodes keep those of the last 16 runs that have ended. */
const JOURNALS_LIMIT = 32;

export interface Gathered {
  readonly strands: readonly Strand[];
  /** The runs whose node has told all of this itself. */
  readonly answered: ReadonlySet<string>;
  /** The runs of which there is anything at all: others are forgotten by everybody. */
  readonly known: ReadonlySet<string>;
}

export interface Gathering {
  /** Whether a living node is asked; left out: each is. */
  readonly asks?: (node: SeenNode) => boolean;
  /** Whether a journal need not be read, as all that it will ever tell is known; left out: none is skipped. */
  readonly skips?: (run: string) => boolean;
  /** The runs whose journals are read; left out: all that have left one, and have not answered. */
  readonly journals?: readonly string[];
  /** Told of each journal that was read, and how long that kept this process from all else, ms. */
  readonly onRead?: (run: string, tookMs: number) => void;
  /** How a node is asked: another way for tests. */
  readonly ask?: typeof ask;
}

export async function gather(
  snapshot: GroupSnapshot,
  gathering: Gathering = {},
): Promise<Gathered> {
  const { asks = () => true, skips = () => false, ask: askNode = ask } = gathering;
  const living = livingNodes(snapshot);
  const told = await Promise.all(
    living.filter(asks).map((node) => toldBy(node, { group: snapshot.group, askNode })),
  );
  const answers = told.flatMap((strand) => strand ?? []);
  const answered = new Set(answers.map(({ key }) => key));
  const journals = gathering.journals ?? journalsAt(snapshot);
  const left = journals.filter((run) => !answered.has(run) && !skips(run)).slice(0, JOURNALS_LIMIT);
  const takeovers = living.flatMap(({ status }) => status?.lastTakeover ?? []);
  const read = left.flatMap((run) => {
    const startedAt = monotonicNow();
    const strand = leftBy(run, snapshot, takeovers);
    gathering.onRead?.(run, monotonicNow() - startedAt);
    return strand ?? [];
  });
  const runs = [...journals, ...snapshot.nodes.map(({ record }) => record.run)];
  return {
    strands: [...answers, ...read, ...notedAt(snapshot)],
    answered,
    known: new Set([...runs, SERVER]),
  };
}

function journalsAt({ paths }: GroupSnapshot): readonly string[] {
  return paths === null ? [] : journalRuns(paths.journal);
}

const SERVER = 'server';

/** Null: it does not answer. */
async function toldBy(
  { record, status }: SeenNode,
  { group, askNode }: { readonly group: string; readonly askNode: typeof ask },
): Promise<Strand | null> {
  if (status === null) return null;
  const question = { group, method: 'instance.events', timeoutMs: ANSWER_LIMIT_MS } as const;
  try {
    const { transitions } = readNodeEvents(await askNode(record, question));
    return strandOf({ node: record.node, run: record.run, via: 'node' }, transitions);
  } catch (error) {
    if (error instanceof FailoverError) return null;
    throw error;
  }
}

/** Of a journal the figures of a takeover are in what the node knew later, if it came to write that down. */
function leftBy(run: string, { paths }: GroupSnapshot, known: readonly Takeover[]): Strand | null {
  const found = paths === null ? null : journalOfRun(paths.journal, run);
  if (found === null) return null;
  const { node } = found.journal.run;
  const takeovers = new Map(
    [...known, ...takeoversIn(found)]
      .filter(({ to }) => to === node)
      .map((takeover) => [takeover.epoch, takeover]),
  );
  const transitions = transitionsIn(found.journal).map((transition) => {
    const isPromotion = transition.to === 'serving' && PROMOTING.has(transition.from);
    const takeover = isPromotion ? (takeovers.get(transition.epoch) ?? null) : null;
    return { ...transition, takeover };
  });
  return strandOf({ node, run, via: 'journal' }, transitions);
}

const PROMOTING: ReadonlySet<string> = new Set(['starting', 'promoting']);

function takeoversIn({ journal }: FoundJournal): readonly Takeover[] {
  const recorded = journal.entries.flatMap((entry) =>
    entry.kind === 'state' ? [entry.state] : [],
  );
  // The last may be in what it decided after the last of these.
  const states = [...recorded, replayJournal(journal).last];
  return states.flatMap((state) => readTakeover(state?.lastTakeover) ?? []);
}

function strandOf(
  {
    node,
    run,
    via,
  }: { readonly node: string; readonly run: string; readonly via: 'node' | 'journal' },
  transitions: readonly Omit<OwnTransition, 'role'>[],
): Strand {
  const events = transitions.map(({ time, from, to, epoch, reason, takeover }): GroupEvent => {
    const about = {
      time,
      node,
      source: 'node',
      action: to,
      epoch,
      reason,
      via,
      run,
      from,
    } as const;
    return { ...about, fromMs: null, durationMs: null, takeover };
  });
  return { key: run, events: withDurations(events) };
}

function notedAt({ store }: GroupSnapshot): readonly Strand[] {
  const seen = store?.kind === 'peers' ? 'as a peer saw it' : null;
  const events = (store?.events ?? []).map((event) => notedEvent(event, seen));
  // The latest comes first there.
  return events.length === 0 ? [] : [{ key: SERVER, events: events.reverse() }];
}

function notedEvent({ node, action, epoch, atMs }: StoreEvent, reason: string | null): GroupEvent {
  return {
    ...{ time: new Date(atMs).toISOString(), node, source: 'server', action, epoch, reason },
    ...{ via: 'server', run: null, from: null, fromMs: null, durationMs: null, takeover: null },
  };
}
