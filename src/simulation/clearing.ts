// Emptying what earlier runs left before a start: SIGTERM, a grace, SIGKILL, and only to what is proved left over.
import type { Effect } from '../core/effect.ts';
import type { EventBody } from '../core/event.ts';
import type { IsNewest } from '../runtime/orders.ts';
import type { Life } from './life.ts';
import type { Session } from './session.ts';
import type { World } from './world.ts';

type Graces = Pick<Extract<Effect, { type: 'clear-leftovers' }>, 'fenceGraceMs' | 'stopGraceMs'>;

interface Ladder {
  readonly isNewest: IsNewest;
  readonly graces: Graces;
  readonly seenAt: Map<Session, number>;
  othersSince: number | null;
  pauseMs: number;
}

interface Leftovers {
  readonly targets: readonly Session[];
  readonly others: boolean;
}

export class Clearing {
  readonly #world: World;
  readonly #life: Life;

  constructor(world: World, life: Life) {
    this.#world = world;
    this.#life = life;
  }

  begin(graces: Graces): void {
    const isNewest = this.#life.orders.begin('clearing');
    const ladder = { isNewest, graces, seenAt: new Map(), othersSince: null, pauseMs: 2 };
    this.#life.later(this.#life.random.between(0.5, 3), () => {
      this.#step(ladder);
    });
  }

  #step(ladder: Ladder): void {
    const { targets, others } = this.#find();
    for (const target of targets) this.#signal(target, ladder);
    if (targets.length === 0 && !others) {
      this.#life.lease.cleared();
      this.#answer(ladder, 'leftovers-cleared');
      return;
    }
    if (targets.length > 0) ladder.othersSince = null;
    else {
      ladder.othersSince ??= this.#world.at;
      if (this.#world.at - ladder.othersSince >= OTHERS_WAIT_MS) {
        this.#answer(ladder, 'leftovers-remain');
        return;
      }
    }
    ladder.pauseMs = Math.min(ladder.pauseMs * 2, LONGEST_PAUSE_MS);
    this.#life.later(ladder.pauseMs, () => {
      this.#step(ladder);
    });
  }

  #find(): Leftovers {
    const directory = this.#world.directoryOf(this.#life);
    const sessions = this.#world.sessions.filter(({ owner }) => owner.host === this.#life.host);
    const targets: Session[] = [];
    let others = false;
    for (const session of sessions) {
      const { owner } = session;
      const isOwn = owner === this.#life;
      const holdsLock = session.holdsLock && session.description === directory;
      if (!holdsLock && session.recordedIn !== directory && !isOwn) {
        // By its environment: it is named, and waited for.
        const isRegistered = owner.alive && directory.records.has(owner.settings.run);
        if (this.#life.lease.missesRecords && !isRegistered) others = true;
        continue;
      }
      if (isOwn) {
        if (!session.firstAlive) targets.push(session);
        else if (holdsLock) others = true;
      } else if (owner.alive) {
        // What stands by there does nothing twice.
        if (session.active || holdsLock) others = true;
      } else if (session.isKept) others = true;
      else targets.push(session);
    }
    return { targets, others };
  }

  #signal(session: Session, { graces, seenAt }: Ladder): void {
    const since = seenAt.get(session);
    if (since === undefined) seenAt.set(session, this.#world.at);
    const isStopping = session.stopsWithSupervisor && session.owner !== this.#life;
    const graceMs = isStopping ? graces.stopGraceMs : graces.fenceGraceMs;
    if (this.#world.at - (since ?? this.#world.at) >= graceMs) session.kill();
    else session.tell();
  }

  #answer({ isNewest }: Ladder, type: 'leftovers-cleared' | 'leftovers-remain'): void {
    const event: EventBody =
      type === 'leftovers-cleared'
        ? { type, ended: 0 }
        : { type, detail: 'what may not be signalled' };
    this.#life.answerTo(isNewest, event);
  }
}

/** How long what may not be signalled is waited for before it is named, ms. */
const OTHERS_WAIT_MS = 250;

const LONGEST_PAUSE_MS = 50;
