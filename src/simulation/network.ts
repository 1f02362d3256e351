// The bus and the calls between nodes: delays, and what the nemesis adds to them.
import { healthWordsIn } from '../core/health.ts';
import type { EventBody } from '../core/event.ts';
import type { Announcement } from '../core/effect.ts';
import type { LeaseHolder } from '../core/state.ts';
import type { Life } from './life.ts';
import type { World } from './world.ts';

/** One node's subscription and connection to another. */
export class Link {
  follows: LeaseHolder | null = null;
  /** From when on messages arrive; never, when nobody was there. */
  connectedAt: number = Number.POSITIVE_INFINITY;
  /** When the latest message that is under way arrives: one connection keeps the order. */
  lastArrivalAt = 0;
}

export class Network {
  lossUntil = 0;
  duplicateUntil = 0;
  delayUntil = 0;
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  follow(life: Life, holder: LeaseHolder | null): void {
    const { link } = life;
    if (link.follows?.run === holder?.run) return;
    link.follows = holder;
    // A node needs no connection to itself.
    const there = holder === null || holder.run === life.settings.run ? null : this.#find(holder);
    link.connectedAt = there === null ? Infinity : this.#world.at + life.random.between(0.3, 3);
  }

  publish(sender: Life, announcement: Announcement): void {
    const { run } = sender.settings;
    let event: EventBody | null = null;
    for (const life of this.#world.lives) {
      const { follows, connectedAt } = life.link;
      if (follows?.run !== run || connectedAt > this.#world.at) continue;
      if (this.#isLost(sender, life)) continue;
      event ??= asEvent(sender, announcement);
      if (event === null) return;
      this.#deliver(life, run, event);
      if (this.duplicateUntil > this.#world.at) this.#deliver(life, run, event);
    }
  }

  /** A request to whom a node follows: what arrives is handed over with the way back; else nothing happens. */
  call(caller: Life, handle: (target: Life, answer: (take: () => void) => void) => void): void {
    const holder = caller.link.follows;
    const target = holder === null ? null : this.#find(holder);
    if (target === null || target === caller || this.#isLost(caller, target)) return;
    target.later(this.#transitMs(caller), () => {
      handle(target, (take) => {
        if (this.#isLost(target, caller)) return;
        caller.later(this.#transitMs(target), take);
      });
    });
  }

  /** The kernel closes the connections of a process that ended. */
  dropConnections(of: Life): void {
    const { run } = of.settings;
    for (const life of this.#world.lives) {
      const { link } = life;
      if (link.follows?.run !== run || link.connectedAt > this.#world.at) continue;
      if (this.#isCut(of, life)) continue;
      life.later(life.random.between(0.3, 4), () => {
        if (link.follows?.run === run) life.dispatch({ type: 'connection-lost', run });
      });
    }
  }

  #deliver(life: Life, run: string, event: EventBody): void {
    const { link } = life;
    const arrivalAt = this.#world.at + this.#transitMs(life);
    const isOrdered = this.delayUntil <= this.#world.at;
    const at = isOrdered ? Math.max(arrivalAt, link.lastArrivalAt) : arrivalAt;
    link.lastArrivalAt = at;
    life.later(at - this.#world.at, () => {
      if (link.follows?.run === run) life.dispatch(event);
    });
  }

  #transitMs(life: Life): number {
    return this.delayUntil > this.#world.at
      ? life.random.between(0.1, LONGEST_DELAY_MS)
      : life.random.between(0.1, 0.8);
  }

  #isLost(from: Life, to: Life): boolean {
    if (this.#isCut(from, to)) return true;
    return this.lossUntil > this.#world.at && from.random.happens(LOSS);
  }

  #isCut(a: Life, b: Life): boolean {
    return a.cutUntil > this.#world.at || b.cutUntil > this.#world.at;
  }

  #find({ run }: LeaseHolder): Life | null {
    return this.#world.lives.find((life) => life.settings.run === run) ?? null;
  }
}

/** The share of messages that a bad network loses. */
const LOSS = 0.3;

/** The longest that a bad network holds a message back, ms. */
const LONGEST_DELAY_MS = 700;

/** What a message is to those who hear it; null: nothing that is decided by. */
function asEvent({ settings }: Life, announcement: Announcement): EventBody | null {
  const { nodeId: node, run } = settings;
  switch (announcement.kind) {
    case 'heartbeat': {
      const { epoch, phase, succession, lastTakeover, standing } = announcement;
      const words = healthWordsIn(announcement);
      const said = { node, run, epoch, phase, succession, lastTakeover, ...words };
      const type = 'heartbeat-received';
      return standing === undefined ? { type, ...said } : { type, ...said, standing };
    }
    case 'promoted':
      return { type: 'promoted-received', node, run, epoch: announcement.epoch };
    case 'shutdown': {
      const { epoch, reason, successor, completed, planned, workloadEndedAgoMs } = announcement;
      const words = healthWordsIn(announcement);
      const said = { reason, successor, completed, planned, workloadEndedAgoMs, ...words };
      return { type: 'shutdown-received', node, run, epoch, ...said };
    }
    case 'role':
      return null;
  }
}
