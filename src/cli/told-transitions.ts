// What has become of the nodes of a group from one look to the next: as they tell it, and as it is seen of those that can't.
import { ROLE_OF_PHASE } from '../core/phases.ts';
import type { TransitionView } from '../dashboard/wire.ts';
import { livingNodes } from './client.ts';
import type { ask, GroupSnapshot, SeenNode } from './client.ts';
import type { GroupEvent, Strand } from './timeline/event.ts';
import { Follower } from './timeline/follower.ts';
import { gather } from './timeline/gather.ts';
import type { ReadingPace } from './timeline/reading-pace.ts';

/** A node that looks the same is asked all the same after so many looks: what it did may be undone already. */
const LOOKS_BETWEEN = 8;

/** Of a run that has ended the latest are told, as many as a node remembers of itself. */
const MOST_LEFT = 100;

/** Runs whose journals are still to be read: of more the oldest are not. */
const MOST_UNREAD = 32;

interface Known {
  readonly id: string;
  /** What it was like when it was asked last. */
  mark: string;
  looksSince: number;
  isSilent: boolean;
}

export interface ToldParts {
  readonly group: string;
  readonly ask: typeof ask;
  /** When a journal may be read: one for all groups. */
  readonly pace: ReadingPace;
}

/** Of one group. */
export class ToldTransitions {
  readonly #parts: ToldParts;
  readonly #follower = new Follower();
  /** Those that lived at an earlier look, by their run. */
  readonly #known = new Map<string, Known>();
  /** Runs that have ended and whose journal has not been read; true: it has written all of it. */
  readonly #unread = new Map<string, boolean>();
  /** Those on record whose journal has been read. */
  #read: ReadonlySet<string> = new Set();
  /** Of these it has been told already that they have stopped. */
  readonly #stopped = new Set<string>();

  constructor(parts: ToldParts) {
    this.#parts = parts;
  }

  /** What has happened since the last time, the oldest first; the first time all that is remembered. */
  async since(snapshot: GroupSnapshot): Promise<readonly TransitionView[]> {
    const silences = livingNodes(snapshot).flatMap((node) => this.#meet(node, snapshot));
    const ended = this.#endedAt(snapshot);
    const told = await this.#gather(snapshot);
    const ends = ended.flatMap(([run, { id }]) => this.#endOf({ run, id }, snapshot));
    this.#follower.keep(this.#remembered(snapshot));
    return [...told, ...silences, ...ends].sort((a, b) => Date.parse(a.time) - Date.parse(b.time));
  }

  /** What is seen of one that lives, whether or not it can say it. */
  #meet(node: SeenNode, snapshot: GroupSnapshot): readonly TransitionView[] {
    const { record } = node;
    const known = this.#known.get(record.run) ?? {
      ...{ id: record.node, mark: '', looksSince: 0, isSilent: false },
    };
    this.#known.set(record.run, known);
    const isSilent = node.status === null;
    if (isSilent === known.isSilent) return [];
    known.isSilent = isSilent;
    return [silenceOf(node, this.#follower.lastOf(record.run), snapshot)];
  }

  /** Those that lived at an earlier look; the journals of all that are no more are to be read. */
  #endedAt({ nodes, paths }: GroupSnapshot): readonly (readonly [string, Known])[] {
    // One of which nobody here knows whether it lives has not ended.
    const kept = new Set(nodes.filter(isKept).map(({ record }) => record.run));
    const ended = [...this.#known].filter(([run]) => !kept.has(run));
    // What was off the record at the look before has been written by now.
    for (const run of this.#unread.keys()) this.#unread.set(run, true);
    for (const [run] of ended) {
      this.#known.delete(run);
      this.#unread.set(run, false);
    }
    for (const { record, presence } of nodes) {
      // A process that is no more writes no more.
      if (presence === 'gone' && !this.#read.has(record.run)) this.#unread.set(record.run, true);
    }
    if (paths === null) this.#unread.clear();
    for (const run of [...this.#unread.keys()].slice(0, -MOST_UNREAD)) this.#unread.delete(run);
    return ended;
  }

  async #gather(snapshot: GroupSnapshot): Promise<readonly TransitionView[]> {
    const { ask: askNode, pace } = this.#parts;
    const asked: SeenNode[] = [];
    const asks = (node: SeenNode): boolean => {
      const isAsked = this.#isToBeAsked(node);
      if (isAsked) asked.push(node);
      return isAsked;
    };
    const due = [...this.#unread].flatMap(([run, isWritten]) => (isWritten ? [run] : []));
    const onRead = (run: string, tookMs: number): void => {
      pace.rest(tookMs);
      this.#unread.delete(run);
      this.#read = new Set([...this.#read, run]);
    };
    const skips = (): boolean => !pace.isDue;
    // One at a look: the pause after it is for all that this process has to do.
    const journals = due.slice(0, 1);
    const gathered = await gather(snapshot, { asks, skips, journals, onRead, ask: askNode });
    for (const { record, status } of asked) {
      const known = this.#known.get(record.run);
      if (known === undefined || !gathered.answered.has(record.run)) continue;
      known.mark = markOf(status);
      known.looksSince = 0;
    }
    const strands = gathered.strands.map(latestOf);
    const here = new Set(snapshot.nodes.map(({ record }) => record.node));
    return this.#follower
      .take(strands, Infinity)
      .filter((event) => this.#isNews(event, here))
      .map((event) => viewOf(event, this.#parts.group));
  }

  #isToBeAsked({ record, status }: SeenNode): boolean {
    const known = this.#known.get(record.run);
    if (status === null || known === undefined) return false;
    known.looksSince += 1;
    return markOf(status) !== known.mark || known.looksSince >= LOOKS_BETWEEN;
  }

  /** A server notes what nodes here tell themselves; and that one has stopped is told once. */
  #isNews({ via, node, run, action }: GroupEvent, here: ReadonlySet<string>): boolean {
    if (via === 'server') return !here.has(node);
    return via !== 'journal' || action !== 'stopped' || run === null || !this.#stopped.has(run);
  }

  /** One that was killed can't tell it. */
  #endOf(
    { run, id: node }: { readonly run: string; readonly id: string },
    { nodes, takenAtMs }: GroupSnapshot,
  ): readonly TransitionView[] {
    const last = this.#follower.lastOf(run);
    const isOnRecord = nodes.some(({ record }) => record.run === run);
    if (last?.action === 'stopped' && !isOnRecord) return [];
    const end = endAfter(last, isOnRecord);
    if (end.to === 'stopped') this.#stopped.add(run);
    const time = new Date(takenAtMs).toISOString();
    const { group } = this.#parts;
    const about = { group, node, run, time, from: last?.action ?? null, epoch: last?.epoch ?? 0 };
    return [{ ...about, ...end, role: 'stopped', takeover: null, source: 'watch' }];
  }

  /** The runs of which something may still be told; all else is forgotten. */
  #remembered({ nodes }: GroupSnapshot): ReadonlySet<string> {
    const onRecord = nodes.map(({ record }) => record.run);
    this.#read = new Set([...this.#read].filter((run) => onRecord.includes(run)));
    for (const run of this.#stopped) if (!this.#unread.has(run)) this.#stopped.delete(run);
    return new Set([...onRecord, ...this.#unread.keys(), SERVER]);
  }
}

const SERVER = 'server';

function isKept({ presence }: SeenNode): boolean {
  return presence !== 'gone';
}

function markOf(status: SeenNode['status']): string {
  return [status?.phase, String(status?.epoch), status?.reason].join('\n');
}

function latestOf({ key, events }: Strand): Strand {
  return { key, events: events[0]?.via === 'journal' ? events.slice(-MOST_LEFT) : events };
}

function viewOf(event: GroupEvent, group: string): TransitionView {
  const { node, run, time, from, action: to, epoch, takeover, source } = event;
  const isNoted = source === 'server';
  const role = isNoted ? null : (ROLES.get(to) ?? null);
  const reason = isNoted ? null : event.reason;
  return { ...{ group, node, run, time, from, to, role, epoch, reason, takeover }, source };
}

/** A phase of another version has none that is known here. */
const ROLES: ReadonlyMap<string, string> = new Map(Object.entries(ROLE_OF_PHASE));

/** One that was killed may be off the record as well, as the next to start tidies: only what it told last shows an order. */
function endAfter(
  last: GroupEvent | null,
  isOnRecord: boolean,
): { readonly to: 'stopped' | 'gone'; readonly reason: string } {
  if (isOnRecord) return { to: 'gone', reason: 'Its process ended unexpectedly' };
  if (last?.action === 'stopping' || last?.action === 'stopped') {
    return { to: 'stopped', reason: 'It has exited gracefully' };
  }
  return { to: 'gone', reason: 'It is gone, and the reason is not known here' };
}

/** It can't tell itself that it does not answer, nor since when it does again. */
function silenceOf(
  { record: { node, run }, status, silence }: SeenNode,
  last: GroupEvent | null,
  { group, takenAtMs }: GroupSnapshot,
): TransitionView {
  const time = new Date(takenAtMs).toISOString();
  const epoch = status?.epoch ?? last?.epoch ?? 0;
  const about = { group, node, run, time, epoch, takeover: null, source: 'watch' } as const;
  if (status === null) {
    const reason = `It does not answer: ${silence ?? 'it does not say why'}`;
    return { ...about, from: last?.action ?? null, to: 'unresponsive', role: null, reason };
  }
  const { phase: to, role } = status;
  return { ...about, from: 'unresponsive', to, role, reason: 'It answers again' };
}
