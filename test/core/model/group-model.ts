// A few nodes of one group on an exclusive lock with epochs, in memory and under virtual time. The lock behaves
// as the kernel's does: free the instant its holder's process is gone, and its record may be an older one's.
import type { Announcement, Effect } from '../../../src/core/effect.ts';
import type { EventBody } from '../../../src/core/event.ts';
import { nextWakeAt } from '../../../src/core/schedule.ts';
import type { Settings } from '../../../src/core/settings.ts';
import { initialState } from '../../../src/core/state.ts';
import type { LeaseObservation, NodeState } from '../../../src/core/state.ts';
import { transition } from '../../../src/core/transition.ts';
import type { Random } from './random.ts';
import { asEvent } from './messages.ts';
import { Lock } from './lock.ts';
import { Timeline } from './timeline.ts';

export interface ModelNode {
  readonly id: string;
  readonly settings: Settings;
  state: NodeState;
  alive: boolean;
  /** Stopped by a signal until then. */
  stoppedUntil: number;
  follows: string | null;
  wakeAt: number;
}

/** The share of messages that never arrive. */
const MESSAGE_LOSS = 0.1;

export class GroupModel {
  readonly nodes: ModelNode[] = [];
  /** Runs whose workload, or something it left, is active. */
  readonly active = new Map<string, number>();
  readonly random: Random;
  readonly #timeline = new Timeline();
  readonly #build: (id: string, run: string) => Settings;
  paused = false;
  steps = 0;
  activations = 0;
  readonly #lock = new Lock();
  #lastActivatedEpoch = 0;
  #runs = 0;
  #asked = 0;
  readonly #askedBy = new Map<string, string>();

  constructor(random: Random, build: (id: string, run: string) => Settings) {
    this.random = random;
    this.#build = build;
  }

  start(id: string): void {
    this.#runs += 1;
    const settings = this.#build(id, `${id}${String(this.#runs)}`);
    const node: ModelNode = {
      id,
      settings,
      state: initialState(this.at, this.#runs),
      alive: true,
      stoppedUntil: 0,
      follows: null,
      wakeAt: Infinity,
    };
    this.nodes.push(node);
    this.dispatch(node, { type: 'started' });
  }

  /** SIGKILL to the supervisor: its lock is free at once, its workload stays until somebody empties it. */
  crash(node: ModelNode): void {
    if (!node.alive) return;
    node.alive = false;
    this.#release(node.settings.run);
    for (const other of this.living()) {
      if (other.follows !== node.settings.run || this.random.happens(MESSAGE_LOSS)) continue;
      this.#later(other, 3, () => {
        this.dispatch(other, { type: 'connection-lost', run: node.settings.run });
      });
    }
  }

  living(): readonly ModelNode[] {
    return this.nodes.filter((node) => node.alive);
  }

  get at(): number {
    return this.#timeline.at;
  }

  runUntil(until: number): void {
    this.#timeline.runUntil(until);
  }

  dispatch(node: ModelNode, event: EventBody): void {
    if (!node.alive) return;
    if (this.at < node.stoppedUntil) {
      this.#timeline.schedule(node.stoppedUntil, () => {
        this.dispatch(node, event);
      });
      return;
    }
    const { state, effects } = transition(node.state, { ...event, at: this.at }, node.settings);
    node.state = state;
    this.steps += 1;
    for (const effect of effects) this.#perform(node, effect);
    const wakeAt = Math.max(nextWakeAt(node.state, node.settings), this.at);
    if (wakeAt === node.wakeAt || wakeAt === Infinity) return;
    node.wakeAt = wakeAt;
    this.#timeline.schedule(wakeAt, () => {
      if (node.wakeAt !== wakeAt) return;
      node.wakeAt = Infinity;
      this.dispatch(node, { type: 'time-passed' });
    });
  }

  /** What the node's own process does in a while: later if it is stopped, never if it is gone. */
  #later(node: ModelNode, delayMs: number, act: () => void): void {
    this.#timeline.schedule(this.at + delayMs, () => {
      if (!node.alive) return;
      if (this.at < node.stoppedUntil) this.#later(node, node.stoppedUntil - this.at, act);
      else act();
    });
  }

  #answer(node: ModelNode, mostMs: number, build: () => EventBody): void {
    this.#later(node, this.random.between(0.5, mostMs), () => {
      this.dispatch(node, build());
    });
  }

  #perform(node: ModelNode, effect: Effect): void {
    const { run } = node.settings;
    switch (effect.type) {
      case 'acquire-lease':
        this.#later(node, 0.3, () => {
          this.#acquire(node, effect.floor);
        });
        return;
      case 'advance-epoch':
        this.#later(node, 1, () => {
          if (this.#lock.holder !== run)
            this.dispatch(node, { type: 'lease-lost', cause: 'not held' });
          else this.#claimEpoch(node, effect.floor, (epoch) => ({ type: 'epoch-advanced', epoch }));
        });
        return;
      case 'verify-lease':
        if (this.#lock.holder !== run)
          this.#answer(node, 0.6, () => ({ type: 'lease-lost', cause: 'gone' }));
        return;
      case 'release-lease':
        this.#later(node, 1, () => {
          this.#release(run);
          this.dispatch(node, { type: 'lease-released' });
        });
        return;
      case 'observe-lease': {
        const observation = this.#observe();
        this.#answer(node, 0.6, () => ({ type: 'lease-observed', observation }));
        return;
      }
      case 'inspect-holder':
        this.#answer(node, 8, () => this.#inspect());
        return;
      case 'fence-holder':
        this.#answer(node, 3, () => this.#fence(effect.epoch, effect.run));
        return;
      case 'clear-leftovers':
        this.#answer(node, 40, () => {
          this.#clear(node);
          return { type: 'leftovers-cleared', ended: 0 };
        });
        return;
      case 'follow':
        node.follows = effect.holder?.run ?? null;
        return;
      case 'publish':
        this.#publish(node, effect.announcement);
        return;
      case 'probe':
        this.#probe(node, effect);
        return;
      case 'request-demotion':
        this.#askToDemote(node, effect);
        return;
      case 'arm-workload':
        this.#answer(node, 5, () => ({ type: 'workload-armed' }));
        return;
      case 'activate-workload':
        this.#later(node, 1, () => {
          this.#activate(node, effect.epoch);
        });
        return;
      case 'run-hook': {
        const ok = this.random.happens(0.8);
        this.#answer(node, 50, () => ({
          type: 'hook-finished',
          hook: effect.hook,
          ok,
          detail: '',
        }));
        return;
      }
      case 'stop-workload':
        this.#answer(node, 30, () => {
          this.active.delete(run);
          return { type: 'workload-stopped' };
        });
        return;
      case 'deactivate-workload':
        this.#answer(node, 2, () => {
          this.active.delete(run);
          return { type: 'workload-deactivated' };
        });
        return;
      case 'answer':
        this.#relay(effect);
        return;
      case 'exit':
        node.alive = false;
        // The kernel's lock ends with the process, also one that was granted to a claim given up.
        this.#release(run);
        return;
      case 'mark-completed':
      case 'suspend-process':
    }
  }

  #acquire(node: ModelNode, floor: number): void {
    const { run } = node.settings;
    if (this.#lock.holder !== null && this.#lock.holder !== run) {
      const observation = this.#observe();
      this.#answer(node, 1, () => ({ type: 'lease-denied', cause: 'held', observation }));
      return;
    }
    // The lock first, the epoch later: a holder without a name in between.
    this.#lock.holder = run;
    const previous = this.#lock.record?.node ?? null;
    this.#claimEpoch(node, floor, (epoch) => ({ type: 'lease-granted', epoch, previous }));
  }

  #claimEpoch(node: ModelNode, floor: number, build: (epoch: number) => EventBody): void {
    const { id, settings } = node;
    this.#later(node, this.random.between(0.2, 4), () => {
      const epoch = this.#lock.claim({ node: id, run: settings.run, floor });
      this.#noticeChange();
      this.#answer(node, 4, () => build(epoch));
    });
  }

  #release(run: string): void {
    if (this.#lock.holder !== run) return;
    this.#lock.holder = null;
    this.#noticeChange();
  }

  #noticeChange(): void {
    for (const node of this.living()) this.#answer(node, 3, () => ({ type: 'lease-changed' }));
  }

  #observe(): LeaseObservation {
    return this.#lock.observe(this.paused);
  }

  #inspect(): EventBody {
    const holder = this.nodes.find((node) => node.settings.run === this.#lock.holder);
    const stopped = holder !== undefined && this.at < holder.stoppedUntil;
    return {
      type: 'holder-inspected',
      inspection: {
        observation: this.#observe(),
        holder: holder === undefined ? 'none' : 'ours',
        description: holder?.id ?? 'nobody',
        process: holder === undefined ? null : stopped ? 'stopped' : 'sleeping',
        sample: null,
        cpuPressure: null,
      },
    };
  }

  #fence(epoch: number, run: string | null): EventBody {
    const holder = this.nodes.find((node) => node.settings.run === this.#lock.holder);
    if (holder === undefined) return { type: 'fence-finished', outcome: 'gone', detail: '' };
    const isJudged = epoch === this.#lock.epoch && (run === null || run === holder.settings.run);
    if (!isJudged) return { type: 'fence-finished', outcome: 'stale', detail: '' };
    this.crash(holder);
    return { type: 'fence-finished', outcome: 'killed', detail: holder.id };
  }

  /** Ends what dead runs and this node's own earlier run left; never what a live node runs. */
  #clear(node: ModelNode): void {
    const others = new Set(this.living().map((other) => other.settings.run));
    others.delete(node.settings.run);
    for (const run of [...this.active.keys()]) if (!others.has(run)) this.active.delete(run);
  }

  #activate(node: ModelNode, epoch: number): void {
    if (this.active.size > 0) {
      const others = [...this.active.keys()].join(', ');
      throw new Error(`${node.settings.run} is activated beside ${others}`);
    }
    if (epoch <= this.#lastActivatedEpoch) {
      throw new Error(`epoch ${String(epoch)} after ${String(this.#lastActivatedEpoch)}`);
    }
    this.#lastActivatedEpoch = epoch;
    this.activations += 1;
    this.active.set(node.settings.run, epoch);
    this.#answer(node, 3, () => ({ type: 'workload-activated' }));
  }

  #publish(node: ModelNode, announcement: Announcement): void {
    const event = asEvent({ node: node.id, run: node.settings.run }, announcement);
    if (event === null) return;
    for (const other of this.living()) {
      if (other.follows !== node.settings.run || this.random.happens(MESSAGE_LOSS)) continue;
      this.#answer(other, 1, () => event);
    }
  }

  #probe(node: ModelNode, effect: Extract<Effect, { type: 'probe' }>): void {
    const number = effect.probe;
    const target = this.living().find((other) => other.settings.run === node.follows);
    if (target === undefined || this.at < target.stoppedUntil) {
      this.#later(node, effect.timeoutMs, () => {
        this.dispatch(node, { type: 'probe-failed', probe: number, cause: 'no answer' });
      });
      return;
    }
    const { id, settings } = node;
    const { run, version, priority } = settings;
    const standby = { node: id, run, version, priority, standby: 'cold' as const };
    const info = { ...standby, willing: effect.willing, standingByMs: effect.standingByMs };
    this.dispatch(target, { type: 'standby-heard', standby: info });
    const { role, epochFloor } = target.state;
    const answered = { probe: number, run: target.settings.run, epoch: epochFloor, role, version };
    this.#answer(node, 3, () => ({ type: 'probe-answered', ...answered }));
  }

  #askToDemote(node: ModelNode, effect: Extract<Effect, { type: 'request-demotion' }>): void {
    const target = this.living().find((other) => other.settings.run === node.follows);
    if (target === undefined || this.at < target.stoppedUntil) {
      this.#later(node, effect.timeoutMs, () => {
        this.dispatch(node, { type: 'demotion-answered', accepted: false, detail: 'no answer' });
      });
      return;
    }
    this.#asked += 1;
    const requestId = `ask-${String(this.#asked)}`;
    this.#askedBy.set(requestId, node.settings.run);
    const { successor } = effect;
    const request = { requestId, successor, holdMs: null, answerEarly: true };
    this.#answer(target, 1, () => ({ type: 'demote-requested', ...request }));
  }

  #relay({ requestId, outcome }: Extract<Effect, { type: 'answer' }>): void {
    const asker = this.living().find(
      ({ settings }) => settings.run === this.#askedBy.get(requestId),
    );
    if (asker === undefined) return;
    const detail = outcome.ok ? outcome.detail : outcome.message;
    this.#answer(asker, 1, () => ({ type: 'demotion-answered', accepted: outcome.ok, detail }));
  }
}
