// Groups as clients of HTTP see them: looked at once for all who ask, and again and again while somebody follows.
import { setMaxListeners } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { ClientOptions } from '../config/load.ts';
import type { GroupView } from '../dashboard/wire.ts';
import { EventFeed } from '../http/event-feed.ts';
import { failureOf } from '../http/failures.ts';
import { Shared } from '../http/shared.ts';
import type {
  ChangeOrder,
  ChangeOutcome,
  Following,
  GroupsSource,
  NumberedEvent,
} from '../http/groups-source.ts';
import { ask } from './client.ts';
import type { GroupSnapshot } from './client.ts';
import { groupStatusOf } from './group-status.ts';
import type { GroupStatus } from './group-status.ts';
import { markOf } from './status-mark.ts';
import { lookEverywhere } from './store-sight.ts';
import { ReadingPace } from './timeline/reading-pace.ts';
import { ToldTransitions } from './told-transitions.ts';

/** From one round of looks to the next, ms. */
const ROUND_INTERVAL_MS = 500;

/** A round that takes long is followed by a pause so many times as long: there may be a thousand groups. */
const PAUSE_FACTOR = 3;

/** After a step of a node here, ms: not in the middle of its takeover. */
const NUDGE_MS = 50;

/** So long who begins to follow waits for a look at all groups, ms: a thousand of them take longer. */
const FIRST_LOOK_MS = 1_000;

/** How old what a node knows of the server of its lease may be, ms: it has that for its lease first of all. */
const STORE_AGE_MS = 2_000;

/** Groups that are looked at at a time. */
const AT_A_TIME = 8;

export interface GroupWatchParts {
  /** Where a group is. */
  readonly client: (group: string) => Omit<ClientOptions, 'group'>;
  readonly list: () => readonly string[];
  readonly only: string | null;
  /** How it looks at a group, and asks a node: another way for tests. */
  readonly look?: (options: ClientOptions) => Promise<GroupSnapshot>;
  readonly ask?: typeof ask;
}

/** What is known of a group that is followed. */
interface Followed {
  readonly transitions: ToldTransitions;
  /** What was told last; null: nothing, or that it can't be looked at. */
  status: GroupStatus | null;
  /** What of it counts as a change, or the problem. */
  mark: string;
  problem: ReturnType<typeof failureOf>['body'] | null;
}

export class GroupWatch implements GroupsSource {
  readonly only: string | null;
  readonly list: () => readonly string[];
  readonly #parts: GroupWatchParts;
  readonly #looks: Shared<GroupSnapshot>;
  readonly #feed = new EventFeed();
  readonly #pace = new ReadingPace();
  readonly #followed = new Map<string, Followed>();
  #names = '';
  #round: Promise<void> | null = null;
  /** Until when the last round is good enough for all who come, by performance.now(). */
  #restUntil = 0;
  #timer: NodeJS.Timeout | null = null;
  /** Groups in which something has happened here, and when they are looked at. */
  readonly #nudged = new Set<string>();
  #nudges: NodeJS.Timeout | null = null;
  /** At one group one look at a time: what it finds is told once. */
  readonly #looking = new Set<string>();
  /** What is under way when it is closed must not keep the process. */
  readonly #closing = new AbortController();

  constructor(parts: GroupWatchParts) {
    this.only = parts.only;
    this.list = parts.list;
    this.#parts = parts;
    // Each question under way listens to it.
    setMaxListeners(0, this.#closing.signal);
    const look = parts.look ?? ((options) => lookEverywhere(options, STORE_AGE_MS));
    this.#looks = new Shared((group) => look(this.#optionsOf(group)));
  }

  async status(group: string): Promise<GroupView> {
    return groupStatusOf(await this.#looks.at(group));
  }

  async change(group: string, order: ChangeOrder): Promise<ChangeOutcome> {
    const { changeGroup } = await import('./group-change.ts');
    const outcome = await changeGroup(this.#optionsOf(group), order);
    this.nudge();
    return outcome;
  }

  async follow(
    { after, group }: Following,
    listener: (numbered: NumberedEvent) => void,
  ): Promise<() => void> {
    await this.#firstLook();
    const isMeant = ({ event }: NumberedEvent): boolean =>
      group === null || event.group === null || event.group === group;
    const hear = (numbered: NumberedEvent): void => {
      if (isMeant(numbered)) listener(numbered);
    };
    if (after !== null) for (const numbered of this.#feed.after(after)) hear(numbered);
    for (const numbered of this.#present()) hear(numbered);
    const stop = this.#feed.listen(hear);
    if (this.#timer === null && this.#round === null) this.#goOn(this.#restMs());
    return stop;
  }

  /** Something has happened here: who follows is to hear of it soon. */
  nudge(): void {
    if (this.#feed.listeners > 0 && this.#round === null) this.#goOn(NUDGE_MS);
  }

  /** The same, of one group of many: the others are looked at in their turn. */
  nudgeOne(group: string): void {
    if (this.#feed.listeners === 0) return;
    this.#nudged.add(group);
    this.#nudges ??= setTimeout(() => void this.#lookAtNudged(), NUDGE_MS).unref();
  }

  close(): void {
    this.#closing.abort();
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#nudges !== null) clearTimeout(this.#nudges);
  }

  /** How things are: the first of them has the number after which who leaves now resumes. */
  *#present(): Generator<NumberedEvent> {
    const groups = this.list();
    yield { id: this.#feed.latestId, event: { name: 'groups', group: null, data: { groups } } };
    for (const group of groups) {
      const { status, problem } = this.#followed.get(group) ?? {};
      if (status) yield { id: null, event: { name: 'status', group, data: status } };
      else if (problem) {
        yield { id: null, event: { name: 'problem', group, data: { group, ...problem } } };
      }
    }
  }

  /**
   * What is told first is of now, also where nobody has followed for long. Anybody may come, and as often as they like:
   * no round is for them alone, as looks take from the stores what nodes renew their leases with.
   */
  async #firstLook(): Promise<void> {
    if (this.#round === null && this.#restMs() > 0) return;
    const limit = new AbortController();
    const late = wait(FIRST_LOOK_MS, undefined, { signal: limit.signal, ref: false }).catch(
      () => undefined,
    );
    await Promise.race([this.#lookNow(), late]);
    limit.abort();
  }

  #optionsOf(group: string): ClientOptions {
    return { ...this.#parts.client(group), group, signal: this.#closing.signal };
  }

  #restMs(): number {
    return Math.max(0, this.#restUntil - performance.now());
  }

  #goOn(delayMs: number): void {
    if (this.#closing.signal.aborted || this.#feed.listeners === 0) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#lookNow();
    }, delayMs);
    this.#timer.unref();
  }

  /** One round at a time, for all who want one; the next follows while somebody does. Never rejects. */
  #lookNow(): Promise<void> {
    if (this.#round !== null) return this.#round;
    const startedAt = performance.now();
    this.#round = this.#lookAtAll().finally(() => {
      const endedAt = performance.now();
      this.#round = null;
      this.#restUntil = endedAt + Math.max(ROUND_INTERVAL_MS, PAUSE_FACTOR * (endedAt - startedAt));
      this.#goOn(this.#restMs());
    });
    return this.#round;
  }

  async #lookAtAll(): Promise<void> {
    const groups = this.list();
    this.#tellNames(groups);
    await this.#lookAtEach(groups);
  }

  /** A few at a time, and then a pause as after a round. Never rejects. */
  async #lookAtNudged(): Promise<void> {
    const startedAt = performance.now();
    const known = new Set(this.list());
    const groups = [...this.#nudged].filter((group) => known.has(group));
    this.#nudged.clear();
    await this.#lookAtEach(groups);
    this.#nudges = null;
    if (this.#nudged.size === 0 || this.#closing.signal.aborted) return;
    const restMs = Math.max(NUDGE_MS, PAUSE_FACTOR * (performance.now() - startedAt));
    this.#nudges = setTimeout(() => void this.#lookAtNudged(), restMs).unref();
  }

  async #lookAtEach(groups: readonly string[]): Promise<void> {
    const left = [...groups];
    const work = async (): Promise<void> => {
      for (let group = left.shift(); group !== undefined; group = left.shift()) {
        await this.#lookAt(group);
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, work));
  }

  #tellNames(groups: readonly string[]): void {
    for (const group of this.#followed.keys()) {
      if (!groups.includes(group)) this.#followed.delete(group);
    }
    const names = groups.join(' ');
    if (names === this.#names) return;
    this.#names = names;
    this.#feed.publish({ name: 'groups', group: null, data: { groups } });
  }

  async #lookAt(group: string): Promise<void> {
    if (this.#looking.has(group)) {
      // It may have been looked at before what it was nudged for.
      if (this.#nudges !== null) this.#nudged.add(group);
      return;
    }
    this.#looking.add(group);
    try {
      await this.#lookAlone(group);
    } finally {
      this.#looking.delete(group);
    }
  }

  async #lookAlone(group: string): Promise<void> {
    const known = this.#followed.get(group) ?? {
      transitions: new ToldTransitions({ group, ask: this.#parts.ask ?? ask, pace: this.#pace }),
      ...{ status: null, mark: '', problem: null },
    };
    this.#followed.set(group, known);
    try {
      const snapshot = await this.#looks.anew(group);
      const happened = await known.transitions.since(snapshot);
      for (const data of happened) this.#feed.publish({ name: 'transition', group, data });
      this.#tellStatus(known, groupStatusOf(snapshot));
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#tellProblem(known, group, error);
    }
  }

  #tellStatus(known: Followed, status: GroupStatus): void {
    const { group, nodes } = status;
    const mark = markOf(status);
    known.status = status;
    known.problem = null;
    if (mark !== known.mark) {
      known.mark = mark;
      this.#feed.publish({ name: 'status', group, data: status });
      return;
    }
    const figures = nodes.map(({ id, lastHeartbeatMs, uptimeMs, latenessMs }) => ({
      ...{ id, lastHeartbeatMs, uptimeMs, latenessMs },
    }));
    this.#feed.publish({ name: 'pulse', group, data: { group, nodes: figures } });
  }

  #tellProblem(known: Followed, group: string, error: unknown): void {
    const { body } = failureOf(error);
    known.problem = body;
    known.status = null;
    if (known.mark === body.error) return;
    known.mark = body.error;
    this.#feed.publish({ name: 'problem', group, data: { group, ...body } });
  }
}
