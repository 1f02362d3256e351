// The steps of a timed lease in files: what is read and written, and in which order.
import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TimedFileReturn } from '../../guard/messages.ts';
import { errnoOf } from '../file/storage-error.ts';
import type { JoinReply } from '../join-alone.ts';
import type { StoredSight, StoreEvent } from '../remote-store.ts';
import { SIGN_PAUSE_MS } from '../sign-of-life.ts';
import type {
  Asker,
  ClaimReply,
  Joining,
  RenewalReply,
  TokenDriver,
  View,
} from '../token-driver.ts';
import { freeBeat, isFree, renewBeat } from './beat.ts';
import { EarlyLooks } from './early-looks.ts';
import { note, pruneEvents, readEvents } from './event-log.ts';
import type { FileLink, IsLate } from './file-link.ts';
import { LeaseView } from './lease-view.ts';
import type { Seen } from './lease-view.ts';
import { NodeList } from './node-list.ts';
import { completedStart, lastStart, nextEpoch, raiseEpoch, takeStart } from './numbers.ts';
import { Place } from './place.ts';
import * as files from './shared-files.ts';
import { SharedLook } from './shared-look.ts';
import { ownerOf, pruneIds, rivalIn, takeId } from './sole-id.ts';
import { Tidying } from './tidying.ts';
import { takeTurn } from './take-turn.ts';
import type { TimedPaths } from './timed-paths.ts';
import { lastTurnIn } from './turns.ts';
import type { Top } from './turns.ts';

export interface TimedFileDriverParts {
  readonly paths: TimedPaths;
  readonly link: FileLink;
  readonly requestTimeoutMs: number;
  readonly ttlMs: number;
  /** Milliseconds on the clock by which the node decides. */
  readonly now: () => number;
  readonly onChange: () => void;
}

/** An acquisition of this node. */
interface Held {
  readonly token: string;
  /** The name of its file. */
  readonly beat: string;
  readonly turn: number;
  readonly epoch: number;
  /** When it has ended for everybody, on this node's clock. */
  readonly untilMs: number;
}

export class TimedFileDriver implements TokenDriver {
  readonly signPauseMs: number = SIGN_PAUSE_MS['timed-file'];
  readonly #parts: TimedFileDriverParts;
  readonly #paths: TimedPaths;
  readonly #link: FileLink;
  readonly #now: () => number;
  readonly #nodes: NodeList;
  readonly #place: Place;
  readonly #view: LeaseView;
  readonly #tidying: Tidying;
  readonly #earlyLooks: EarlyLooks;
  readonly #allNodes: SharedLook<readonly StoredSight[]>;
  readonly #allEvents: SharedLook<readonly StoreEvent[]>;
  #takesPart = false;
  /** Whether no other may have its id. */
  #isAlone = false;
  #held: Held | null = null;
  /** Renewals that were begun: one that failed may have been seen, and none may look like another. */
  #beats = 0;
  /** The last claims, also those of unknown outcome: by token, the name of the file and the epoch. */
  readonly #claimed = new Map<string, { readonly beat: string; readonly epoch: number }>();
  #watcher: FSWatcher | null = null;
  /** Whether it failed after it was there: it is begun once more then. One that can not be begun waits for the next join. */
  #hasLostWatch = false;

  constructor(parts: TimedFileDriverParts) {
    const { paths, link, now, ttlMs, onChange } = parts;
    this.#parts = parts;
    this.#paths = paths;
    this.#link = link;
    this.#now = now;
    this.#nodes = new NodeList(paths.nodes, now);
    this.#place = new Place(paths, link);
    this.#view = new LeaseView({ paths, nodes: this.#nodes, now, ttlMs });
    this.#tidying = new Tidying(paths);
    this.#earlyLooks = new EarlyLooks({ now, onFree: onChange });
    const timeoutMs = Math.max(parts.requestTimeoutMs, LOOK_LIMIT_MS);
    this.#allNodes = new SharedLook({
      ...{ link, timeoutMs },
      look: (isLate) => this.#nodes.list(isLate),
    });
    this.#allEvents = new SharedLook({
      ...{ link, timeoutMs },
      look: (isLate) => readEvents(paths.events, isLate),
    });
  }

  claim(asker: Asker, what: Parameters<TokenDriver['claim']>[1]): Promise<ClaimReply> {
    return this.#request(async (isLate) => {
      try {
        return await this.#claim(asker, what, isLate);
      } catch (error) {
        // By the next claim there is what this one has missed: who is on record does not register again.
        if (errnoOf(error) === 'ENOENT') await this.#place.prepare();
        throw error;
      }
    });
  }

  async #claim(
    asker: Asker,
    { token, ttlMs, floor, start }: Parameters<TokenDriver['claim']>[1],
    isLate: IsLate,
  ): Promise<ClaimReply> {
    await this.#place.check();
    const beganAt = this.#now();
    const seen = await this.#view.see();
    if (Number(start) <= (await completedStart(this.#paths))) {
      return { type: 'denied', view: await this.#viewOf(asker, seen), cause: 'completed' };
    }
    if (!seen.hasTurns) await this.#place.prepare();
    if (seen.leftMs > 0) {
      this.#lookSoon(seen);
      // The claimant may be the last that knows of its epoch, where all files of the group are gone.
      if (floor > seen.observation.epoch) await this.#keepEpoch(floor);
      return { type: 'denied', view: await this.#viewOf(asker, seen), cause: 'held' };
    }
    const number = this.#nextTurn(seen.top);
    const beat = `${String(number)}-${token}`;
    const epoch = await this.#nextEpoch(seen.top.turn?.epoch ?? 0, floor);
    this.#remember(token, { beat, epoch });
    const order = { paths: this.#paths, asker, number, beat, epoch, ttlMs };
    const isOurs = await takeTurn({ ...order, isNew: true, isLate });
    const untilMs = beganAt + ttlMs;
    // Nobody waits for it any more, and its asker's word to give it back may come to nothing: it is given back here.
    if (!isOurs || isLate() || this.#now() >= untilMs) {
      await freeBeat(join(this.#paths.beats, beat));
      const view = await this.#viewOf(asker, await this.#view.see());
      return { type: 'denied', view, cause: 'held' };
    }
    this.#held = { token, beat, turn: number, epoch, untilMs };
    await this.#changed(asker, 'granted', epoch);
    this.#tidying.soon(this.#held, (act) => this.#request(act));
    const previous = seen.top.turn?.node ?? null;
    const view = await this.#viewOf(asker, await this.#view.see());
    return { type: 'granted', view, epoch, previous };
  }

  renew(
    asker: Asker,
    { token, ttlMs, timeoutMs }: Parameters<TokenDriver['renew']>[1],
  ): Promise<RenewalReply> {
    const renewal = this.#request(async () => {
      const isOurs = await this.#renew(token, ttlMs);
      const isKnown = await this.#nodes.knows(asker).catch(() => true);
      if (isOurs) return { isOurs, by: null, isKnown };
      const { top, leftMs } = await this.#view.see();
      const isOther = leftMs > 0 && top.turn !== null && !top.turn.beat.endsWith(`-${token}`);
      return { isOurs, by: isOther ? top.turn.node : null, isKnown };
    }, timeoutMs);
    renewal.then(
      () => {
        this.#signSoon(asker);
      },
      () => undefined,
    );
    return renewal;
  }

  /** Once a renewal was answered: that waits for none. One that has lost its id by then learns it from the next. */
  #signSoon(asker: Asker): void {
    if (this.#nodes.isSignDue) this.#request(() => this.#sign(asker)).catch(() => undefined);
  }

  /**
   * Only what is written while the lease is still this node's counts: once it is over here it may be over there, and
   * another may be about to take its turn.
   */
  async #renew(token: string, ttlMs: number): Promise<boolean> {
    const held = this.#current(token);
    if (held === null) return false;
    const beganAt = this.#now();
    this.#beats += 1;
    const isThere = await renewBeat(join(this.#paths.beats, held.beat), this.#beats);
    const isLast = isThere && (await lastTurnIn(this.#paths.turns)) === held.turn;
    // Of one that was emptied no share that comes back has the lease: others wait for no more than their own time.
    if (!isLast && !(await this.#place.wasEmptied())) await this.#place.check();
    if (!isLast || this.#current(token) === null) return false;
    this.#held = { ...held, untilMs: beganAt + ttlMs };
    return true;
  }

  advance(
    asker: Asker,
    { token, floor }: Parameters<TokenDriver['advance']>[1],
  ): Promise<number | null> {
    return this.#request(async (isLate) => {
      await this.#place.check();
      const held = this.#current(token);
      if (held === null) return null;
      const { top, leftMs } = await this.#view.see();
      if (leftMs === 0 || top.turn === null || top.number !== held.turn) return null;
      const { ttlMs } = top.turn;
      const epoch = await this.#nextEpoch(top.turn.epoch, floor);
      const order = { paths: this.#paths, asker, number: this.#nextTurn(top), epoch, ttlMs };
      const isOurs = await takeTurn({ ...order, beat: held.beat, isNew: false, isLate });
      if (!isOurs || this.#current(token) === null) return null;
      this.#held = { ...held, turn: held.turn + 1, epoch };
      this.#remember(token, { beat: held.beat, epoch });
      await this.#changed(asker, 'advanced', epoch);
      this.#tidying.soon(this.#held, (act) => this.#request(act));
      return epoch;
    });
  }

  async release(asker: Asker, token: string): Promise<void> {
    await this.#request(async () => {
      const claimed = this.#claimed.get(token);
      if (this.#held?.token === token) this.#held = null;
      if (claimed === undefined) return;
      if (await freeBeat(join(this.#paths.beats, claimed.beat))) {
        await this.#changed(asker, 'released', claimed.epoch);
      } else {
        await this.#place.check();
      }
      this.#claimed.delete(token);
    });
  }

  returnOrder({ run, node }: Asker, token: string): TimedFileReturn {
    const { beat = '', epoch = 0 } = this.#claimed.get(token) ?? {};
    const { beats, changed, events } = this.#paths;
    return {
      kind: 'timed-file',
      ...{ beat: join(beats, beat), changed, events: join(events, run), node, epoch },
      timeoutMs: Math.max(this.#parts.requestTimeoutMs, LEAST_RETURN_MS),
    };
  }

  look(asker: Asker, known: number): Promise<View> {
    return this.#request(async () => {
      if (!this.#takesPart) return this.#viewOf(asker, await this.#seenOnce());
      await this.#place.check();
      if (this.#hasLostWatch) this.#watch();
      const seen = await this.#view.see();
      if (known > seen.observation.epoch) await raiseEpoch(this.#paths, known);
      const epoch = Math.max(known, seen.observation.epoch);
      const isKnown = await this.#sign(asker);
      const view = await this.#viewOf(asker, seen);
      return { ...view, isKnown, observation: { ...view.observation, epoch } };
    });
  }

  join(asker: Asker, { start, known, alone }: Joining): Promise<JoinReply<string>> {
    this.#takesPart = true;
    this.#isAlone = alone !== null;
    return this.#request(async (isLate) => {
      await this.#place.prepare();
      await raiseEpoch(this.#paths, known);
      const rival = await this.#enter(asker, alone, isLate);
      if (rival !== null) return { type: 'taken', by: await this.#nodes.rival(rival) };
      const number = start === '' ? await takeStart(this.#paths) : start;
      if (start !== '') await writeFile(join(this.#paths.starts, start), '');
      this.#watch();
      if (start === '') {
        const { observation } = await this.#view.see();
        await this.#note(asker, 'joined', observation.epoch);
        await Promise.all([this.#nodes.prune(), pruneEvents(this.#paths.events)]);
        await pruneIds(this.#paths, (path) => this.#nodes.isOld(path));
      }
      return { type: 'joined', joined: number };
    });
  }

  /** On record first: an id whose run is not is free. The run that has it instead; null: none. */
  async #enter(asker: Asker, alone: Joining['alone'], isLate: IsLate): Promise<string | null> {
    const { run, node } = asker;
    const taker = { run, node, instead: alone?.instead ?? null };
    const rival = alone === null ? null : await rivalIn(this.#paths, taker);
    if (rival !== null) return rival;
    await this.#nodes.enter(asker);
    if (alone === null) return null;
    const owner = await takeId(this.#paths, taker, isLate);
    if (owner !== null) await this.#nodes.remove(asker);
    return owner;
  }

  async leave(asker: Asker): Promise<void> {
    await this.#request(async () => {
      const { observation } = await this.#view.see();
      if (await this.#nodes.remove(asker)) await this.#note(asker, 'left', observation.epoch);
    });
  }

  async complete(asker: Asker, epoch: number): Promise<void> {
    await this.#request(async () => {
      await this.#place.prepare();
      const last = await lastStart(this.#paths);
      await files.replace(this.#paths.completed, String(last));
      await this.#changed(asker, 'completed', epoch);
    });
  }

  async pause(asker: Asker, by: string | null): Promise<void> {
    await this.#request(async () => {
      await this.#place.prepare();
      const { observation } = await this.#view.see();
      if (by === null) await files.removeAll([this.#paths.paused]);
      else await files.replace(this.#paths.paused, by);
      await this.#changed(asker, by === null ? 'resumed' : 'paused', observation.epoch);
    });
  }

  listNodes(): Promise<readonly StoredSight[]> {
    return this.#allNodes.see();
  }

  async readEvents(limit: number): Promise<readonly StoreEvent[]> {
    return (await this.#allEvents.see()).slice(0, limit);
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = null;
    this.#hasLostWatch = false;
    this.#earlyLooks.end();
    this.#tidying.close();
    this.#link.close();
  }

  #request<Answer>(
    act: (isLate: IsLate) => Promise<Answer>,
    timeoutMs: number = this.#parts.requestTimeoutMs,
  ): Promise<Answer> {
    return this.#link.within(timeoutMs, act);
  }

  /** Without room on the disk a node is shown as one that was not seen, and leads on. */
  async #sign(asker: Asker): Promise<boolean> {
    try {
      return await this.#nodes.sign(asker, async () => {
        return !this.#isAlone || (await ownerOf(this.#paths, asker.node)) === asker.run;
      });
    } catch (error) {
      if (errnoOf(error) === null) throw error;
      return true;
    }
  }

  async #seenOnce(): Promise<Seen> {
    await this.#place.check();
    return this.#view.seeOnce();
  }

  async #keepEpoch(epoch: number): Promise<void> {
    await this.#place.prepare();
    await raiseEpoch(this.#paths, epoch);
  }

  /** What is held under a token; null: nothing, or no longer. */
  #current(token: string): Held | null {
    const held = this.#held;
    return held?.token === token && this.#now() < held.untilMs ? held : null;
  }

  async #viewOf({ run }: Asker, { leftMs, observation }: Seen): Promise<View> {
    const isKnown = await files.exists(join(this.#paths.nodes, run));
    return { observation, leftMs: observation.held ? leftMs : null, isKnown };
  }

  async #nextEpoch(...known: readonly number[]): Promise<number> {
    const epoch = await nextEpoch(this.#paths, known);
    if (Number.isSafeInteger(epoch)) return epoch;
    throw this.#link.refused('there is no epoch above the one known here');
  }

  #nextTurn({ number }: Top): number {
    if (number < files.MOST_COUNTED) return number + 1;
    const path = join(this.#paths.turns, String(number));
    throw this.#link.refused(
      `there is no turn after ${path}, a number that cannot have been reached by counting`,
      'Remove that file once no node of the group is running.',
    );
  }

  #remember(token: string, claimed: { readonly beat: string; readonly epoch: number }): void {
    this.#claimed.set(token, claimed);
    for (const oldest of this.#claimed.keys()) {
      if (this.#claimed.size <= CLAIMS_KEPT) break;
      this.#claimed.delete(oldest);
    }
  }

  #note({ run, node }: Asker, action: StoreEvent['action'], epoch: number): Promise<void> {
    return note(join(this.#paths.events, run), { node, action, epoch });
  }

  /** Tells of a change: nodes that wait on this machine hear at once; others see it when they look. */
  async #changed(asker: Asker, action: StoreEvent['action'], epoch: number): Promise<void> {
    await this.#note(asker, action, epoch);
    await writeFile(this.#paths.changed, `${asker.node} ${action}\n`).catch(() => undefined);
  }

  #watch(): void {
    this.#watcher?.close();
    this.#watcher = null;
    this.#hasLostWatch = false;
    try {
      const watcher = watch(this.#paths.marks, { persistent: false }, this.#parts.onChange);
      watcher.on('error', () => {
        if (watcher !== this.#watcher) return;
        watcher.close();
        this.#watcher = null;
        this.#hasLostWatch = true;
      });
      this.#watcher = watcher;
    } catch {
      // Without it changes are seen at the next look.
    }
  }

  /** Until it is given back: others on this machine say so, and of those elsewhere nobody is told. */
  #lookSoon({ top: { turn } }: Seen): void {
    if (turn === null) return;
    const path = join(this.#paths.beats, turn.beat);
    this.#earlyLooks.begin(async () => {
      const content = await this.#request(() => files.contentOf(path));
      return content !== null && isFree(content);
    });
  }
}

const CLAIMS_KEPT = 8;

/** Less than a command waits for a node: no lease depends on it, and there may be many files. */
const LOOK_LIMIT_MS = 1_500;

/** A guard has no hurry any more when all has ended; a file system may be slow. */
const LEAST_RETURN_MS = 500;
