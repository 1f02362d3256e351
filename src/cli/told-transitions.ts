// What has become of the nodes of a group from one look to the next: as they tell it, and as it is seen of those that can't.
import type { TransitionView } from '../dashboard/wire.ts';
import { FailoverError } from '../errors.ts';
import { livingNodes } from './client.ts';
import type { ask, GroupSnapshot, SeenNode } from './client.ts';
import { readNodeEvents } from './node-events.ts';

/** How long a node may take to tell, ms. */
const ANSWER_LIMIT_MS = 1_000;

/** A node that looks the same is asked all the same after so many looks: what it did may be undone already. */
const LOOKS_BETWEEN = 8;

interface Known {
  readonly id: string;
  /** What it was like when it was asked last. */
  mark: string;
  looksSince: number;
  /** Of the transitions that it has told, which it remembers itself. */
  told: ReadonlySet<string>;
  last: TransitionView | null;
  isSilent: boolean;
}

/** Of one group. */
export class ToldTransitions {
  readonly #group: string;
  readonly #askNode: typeof ask;
  /** By the run of the node. */
  readonly #known = new Map<string, Known>();
  #noted: ReadonlySet<string> = new Set();

  constructor(group: string, askNode: typeof ask) {
    this.#group = group;
    this.#askNode = askNode;
  }

  /** What has happened since the last time, the oldest first; the first time all that is remembered. */
  async since(snapshot: GroupSnapshot): Promise<readonly TransitionView[]> {
    const living = livingNodes(snapshot);
    const told = await Promise.all(living.map((node) => this.#toldBy(node, snapshot)));
    const all = [...told.flat(), ...this.#ended(snapshot), ...this.#notedElsewhere(snapshot)];
    return all.sort((a, b) => Date.parse(a.time) - Date.parse(b.time));
  }

  async #toldBy(node: SeenNode, snapshot: GroupSnapshot): Promise<readonly TransitionView[]> {
    const { record, status } = node;
    const known = this.#known.get(record.run) ?? {
      ...{ id: record.node, mark: '', looksSince: 0, told: new Set<string>(), last: null },
      isSilent: false,
    };
    this.#known.set(record.run, known);
    const change = silenceOf(node, known, snapshot);
    if (status === null) return change;
    const { phase, epoch, reason } = status;
    const mark = [phase, String(epoch), reason].join('\n');
    known.looksSince += 1;
    if (mark === known.mark && known.looksSince < LOOKS_BETWEEN) return change;
    const transitions = await this.#ask(record);
    if (transitions === null) return change;
    const fresh = transitions.filter((one) => !known.told.has(keyOf(one)));
    known.mark = mark;
    known.looksSince = 0;
    known.told = new Set(transitions.map(keyOf));
    known.last = transitions.at(-1) ?? known.last;
    return [...fresh, ...change];
  }

  /** Null: it does not answer. */
  async #ask(record: SeenNode['record']): Promise<readonly TransitionView[] | null> {
    const group = this.#group;
    const { node, run } = record;
    const question = { group, method: 'instance.events', timeoutMs: ANSWER_LIMIT_MS } as const;
    try {
      const answer = await this.#askNode(record, question);
      return readNodeEvents(answer).transitions.map(
        ({ time, from, to, role, epoch, reason, takeover }) => ({
          ...{ group, node, run, time, from, to, role, epoch, reason, takeover },
          source: 'node',
        }),
      );
    } catch (error) {
      if (error instanceof FailoverError) return null;
      throw error;
    }
  }

  /** Those that lived at an earlier look: one that was killed can't tell it. */
  #ended({ nodes, takenAtMs }: GroupSnapshot): readonly TransitionView[] {
    // One of which nobody here knows whether it lives has not ended.
    const kept = nodes.filter(({ presence }) => presence !== 'gone');
    const runs = new Set(kept.map(({ record }) => record.run));
    const time = new Date(takenAtMs).toISOString();
    const group = this.#group;
    return [...this.#known].flatMap(([run, { id: node, last }]) => {
      if (runs.has(run)) return [];
      this.#known.delete(run);
      const isOnRecord = nodes.some(({ record }) => record.run === run);
      if (last?.to === 'stopped' && !isOnRecord) return [];
      const about = { group, node, run, time, from: last?.to ?? null, epoch: last?.epoch ?? 0 };
      const end = endOf(last, isOnRecord);
      return [{ ...about, ...end, role: 'stopped', takeover: null, source: 'watch' } as const];
    });
  }

  /** What the server of the lease notes of nodes that nobody here can ask. */
  #notedElsewhere({ store, nodes }: GroupSnapshot): readonly TransitionView[] {
    // Where it was not read nothing of it is known to be new the next time.
    if (store === null || (store.problem !== null && store.events.length === 0)) return [];
    const noted = store.events.map(({ node, action, epoch, atMs }): TransitionView => {
      const about = { group: this.#group, node, run: null, time: new Date(atMs).toISOString() };
      const nothing = { from: null, role: null, reason: null, takeover: null };
      return { ...about, ...nothing, to: action, epoch, source: 'server' };
    });
    const before = this.#noted;
    this.#noted = new Set(noted.map(keyOf));
    const here = new Set(nodes.map(({ record }) => record.node));
    return noted.filter((one) => !before.has(keyOf(one)) && !here.has(one.node));
  }
}

/** One that was killed may be off the record as well, as the next to start tidies: only what it told last shows an order. */
function endOf(
  last: TransitionView | null,
  isOnRecord: boolean,
): { readonly to: 'stopped' | 'gone'; readonly reason: string } {
  if (isOnRecord) return { to: 'gone', reason: 'Its process has ended without a word' };
  if (last?.to === 'stopping' || last?.to === 'stopped') {
    return { to: 'stopped', reason: 'It has ended in order' };
  }
  return { to: 'gone', reason: 'It is no more, and nobody here was told why' };
}

/** It can't tell itself that it does not answer, nor since when it does again. */
function silenceOf(
  { record: { node, run }, status, silence }: SeenNode,
  known: Known,
  { group, takenAtMs }: GroupSnapshot,
): readonly TransitionView[] {
  const isSilent = status === null;
  if (isSilent === known.isSilent) return [];
  known.isSilent = isSilent;
  const time = new Date(takenAtMs).toISOString();
  const epoch = status?.epoch ?? known.last?.epoch ?? 0;
  const about = { group, node, run, time, epoch, takeover: null, source: 'watch' } as const;
  const from = known.last?.to ?? null;
  if (isSilent) {
    const reason = `It does not answer: ${silence ?? 'it does not say why'}`;
    return [{ ...about, from, to: 'unresponsive', role: null, reason }];
  }
  const { phase: to, role } = status;
  return [{ ...about, from: 'unresponsive', to, role, reason: 'It answers again' }];
}

function keyOf({ node, time, from, to, epoch }: TransitionView): string {
  return [node, time, String(from), to, String(epoch)].join(' ');
}
