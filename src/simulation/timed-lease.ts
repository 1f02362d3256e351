// A node's hand on a lease with a time to live: requests that get lost, answers that do, and what is not known then.
import type { LeaseObservation } from '../core/state.ts';
import type { EventBody, LeaseOrder } from '../core/event.ts';
import type { LeaseClient } from './lease-client.ts';
import type { Life } from './life.ts';
import type { TimedLease } from './profile.ts';
import type { TimedStore } from './timed-store.ts';
import type { World } from './world.ts';

export class TimedLeaseClient implements LeaseClient {
  /** What is in files alone, which no lease of a server has. */
  readonly noted = 0;
  readonly missesRecords = false;
  hasRecordedCompletion = false;
  readonly #world: World;
  readonly #life: Life;
  readonly #store: TimedStore;
  readonly #timing: TimedLease;
  /** Of the last acquisition, also of one that nothing is known of. */
  #token: number | null = null;
  #heldEpoch: number | null = null;
  #seen = 0;
  /** When the store last heard of the highest epoch that this node has seen, in the world's time. */
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(world: World, life: Life, store: TimedStore, timing: TimedLease) {
    this.#world = world;
    this.#life = life;
    this.#store = store;
    this.#timing = timing;
  }

  /** The highest epoch that an answer told its node of, if it has asked the store since that forgot. */
  get toldEpoch(): number {
    const { isForgetful, forgotAt } = this.#store;
    return isForgetful || this.#toldAt >= forgotAt ? this.#seen : 0;
  }

  saw(epoch: number): void {
    if (epoch <= this.#seen) return;
    this.#seen = epoch;
    // What it asked before says nothing of this one: the answer may be of before the store forgot.
    this.#toldAt = Number.NEGATIVE_INFINITY;
  }

  get heldEpoch(): number | null {
    return this.#heldEpoch;
  }

  cleared(): void {
    // The store knows nothing of processes.
  }

  register(): void {
    this.#world.directoryOf(this.#life).records.add(this.#life.settings.run);
  }

  open(): void {
    this.register();
  }

  acquire(floor: number): void {
    const life = this.#life;
    const isNewest = life.orders.begin('lease');
    const token = this.#store.newToken();
    const askedAt = life.now;
    const { ttlMs } = this.#timing;
    this.#token = token;
    life.guard?.begin(token);
    const said = this.#seen;
    this.#ask(
      () => this.#store.claim(life, token, { floor, ttlMs, said }),
      (claimed) => {
        if (claimed.type === 'denied') {
          const { cause } = claimed;
          const observation = this.observe();
          life.answerTo(isNewest, { type: 'lease-denied', cause, waitsFor: [], observation });
          return;
        }
        const { epoch, previous } = claimed;
        // Given up meanwhile: nobody renews it, and it expires unless it is given back.
        if (this.#token !== token) return;
        this.#heldEpoch = epoch;
        life.term.begin();
        const granted = { askedAt, ttlMs };
        life.answerTo(isNewest, { type: 'lease-granted', epoch, previous, granted });
      },
      () => {
        // Whether it was granted is not known.
        this.#tell(token);
        life.answerTo(isNewest, failed('acquire'));
      },
    );
  }

  advanceEpoch(floor: number): void {
    const life = this.#life;
    const isNewest = life.orders.begin('lease');
    const token = this.#token ?? 0;
    this.#ask(
      () => this.#store.advance(token, floor),
      (epoch) => {
        if (epoch === null) {
          const cause = 'the store no longer has it';
          life.answerTo(isNewest, { type: 'lease-lost', cause, withinMs: 0 });
          return;
        }
        if (this.#token === token && this.#heldEpoch !== null) this.#heldEpoch = epoch;
        life.answerTo(() => true, { type: 'epoch-advanced', epoch });
      },
      () => {
        life.answerTo(isNewest, failed('advance'));
      },
    );
  }

  renew(): void {
    const life = this.#life;
    const token = this.#token ?? 0;
    const askedAt = life.now;
    const { ttlMs } = this.#timing;
    const isItsOwn = (): boolean => this.#token === token;
    this.#ask(
      () => this.#store.renew(token, ttlMs),
      (isOurs) => {
        const cause = 'the store no longer has it';
        life.answerTo(
          isItsOwn,
          isOurs
            ? { type: 'lease-renewed', askedAt, ttlMs }
            : { type: 'lease-lost', cause, withinMs: 0 },
        );
      },
      () => {
        life.answerTo(isItsOwn, failed('renew'));
      },
    );
  }

  /** What this node knows by itself: nobody is asked before each start. */
  verify(): string | null {
    return this.#heldEpoch === null ? 'the lease is not held' : null;
  }

  giveBack(): void {
    const isNewest = this.#life.orders.begin('lease');
    this.#release(
      () => {
        this.#life.answerTo(isNewest, { type: 'lease-released', heldBy: null });
      },
      () => {
        this.#life.answerTo(isNewest, failed('release'));
      },
    );
  }

  release(done: () => void): void {
    this.#release(done, () => undefined);
  }

  observe(): LeaseObservation {
    return this.#store.observe();
  }

  look(): void {
    const said = this.#seen;
    const known = this.#life.state.epochFloor;
    const askedAt = this.#life.now;
    this.#ask(
      () => {
        this.#tells(said);
        return this.#store.look(known);
      },
      (observation) => {
        this.#life.answer(() => {
          this.#life.dispatch({ type: 'lease-observed', observation, askedAt });
        });
      },
      () => {
        this.#life.answer(() => {
          this.#life.dispatch(failed('observe'));
        });
      },
    );
  }

  markCompleted(): void {
    const isNewest = this.#life.orders.begin('lease');
    this.#ask(
      () => {
        this.#store.complete();
        this.hasRecordedCompletion = true;
      },
      () => {
        this.#life.answerTo(isNewest, { type: 'completion-recorded' });
      },
      () => {
        this.#life.answerTo(isNewest, failed('complete'));
      },
    );
  }

  dropped(): void {
    this.#heldEpoch = null;
  }

  /** A request arrives that was made when this node had seen an epoch. */
  #tells(said: number): void {
    if (said === this.#seen) this.#toldAt = this.#world.at;
  }

  #release(done: () => void, fail: () => void): void {
    const token = this.#token;
    // From here on nothing is claimed of it, whatever becomes of the request.
    this.#heldEpoch = null;
    this.#life.guard?.rest();
    if (token === null) {
      done();
      return;
    }
    this.#ask(
      () => {
        this.#store.release(token);
      },
      () => {
        if (this.#token === token) this.#token = null;
        done();
      },
      fail,
    );
  }

  /** A word to the store that nobody waits for. */
  #tell(token: number): void {
    this.#ask(
      () => {
        this.#store.release(token);
      },
      () => undefined,
      () => undefined,
    );
  }

  /**
   * One request. What is under way goes on when the asker is stopped or killed; what is lost may have been
   * lost before the server did it, or after.
   */
  #ask<Answer>(act: () => Answer, then: (answer: Answer) => void, fail: () => void): void {
    const life = this.#life;
    const world = this.#world;
    let isSettled = false;
    const settle = (how: () => void): void => {
      if (isSettled) return;
      isSettled = true;
      how();
    };
    if (!this.#isLost()) {
      world.timeline.schedule(world.at + this.#transitMs(), null, () => {
        if (this.#store.downUntil > world.at) return;
        const answer = act();
        if (this.#isLost()) return;
        life.later(this.#transitMs(), () => {
          settle(() => {
            then(answer);
          });
        });
      });
    }
    life.later(this.#timing.requestTimeoutMs, () => {
      settle(fail);
    });
  }

  #isLost(): boolean {
    return this.#life.storeCutUntil > this.#world.at && this.#life.random.happens(LOST);
  }

  #transitMs(): number {
    const isSlow = this.#store.slowUntil > this.#world.at;
    return this.#life.random.between(0.2, isSlow ? 1.2 * this.#timing.requestTimeoutMs : 2);
  }
}

/** The share of requests, and of answers, that are lost where the store is out of reach. */
const LOST = 0.8;

function failed(order: LeaseOrder): EventBody {
  return {
    type: 'lease-failed',
    order,
    code: 'FAILOVER_STORE_UNREACHABLE',
    message: 'the store does not answer',
  };
}
