// Follows the primary of a group by what its nodes say and by its lease; takes no part in the group itself.
import { randomBytes } from 'node:crypto';
import { messageOf } from '../error-message.ts';
import type { Clock } from '../runtime/ports.ts';
import { Tally } from '../transport/counters.ts';
import { Dialer } from '../transport/dialer.ts';
import { Links } from '../transport/link.ts';
import { Seal } from '../transport/seal.ts';
import type { TcpKeys } from '../transport/tcp-door.ts';
import type { BusMessage, Sender } from '../transport/wire.ts';
import { attachedTo, follow, followWakeAt, initialFollowing } from './follow.ts';
import type { FollowEffect, Following, FollowNews } from './follow.ts';
import { FollowedNodes } from './followed-nodes.ts';
import type { GroupSight, Sight } from './group-sight.ts';
import type { PrimaryListener, PrimarySource, ReachedNode } from './primary-source.ts';

export interface GroupSourceOptions {
  readonly group: string;
  readonly sight: GroupSight;
  readonly clock: Clock;
  /** How nodes of other machines are connected to; null: they are not. */
  readonly tcp: { readonly keys: TcpKeys | null } | null;
  /** What the nodes of the group sign their messages with; null: they don't. */
  readonly secret: Buffer | null;
  /** Something a person should know; the same is said once until another is. */
  readonly warn: (message: string) => void;
}

export class GroupSource implements PrimarySource {
  readonly #options: GroupSourceOptions;
  readonly #links: Links;
  readonly #nodes: FollowedNodes;
  #listener: PrimaryListener | null = null;
  #onNodes: ((nodes: readonly ReachedNode[]) => void) | null = null;
  #state: Following;
  #cancelWake: (() => void) | null = null;
  #looking: Promise<void> | null = null;
  #looksAgain = false;
  #lookLater: NodeJS.Timeout | null = null;
  #warned = '';
  #isClosed = false;

  constructor(options: GroupSourceOptions) {
    const { group, clock, tcp, secret } = options;
    this.#options = options;
    const tally = new Tally();
    const seal = new Seal(secret);
    this.#links = new Links({ tally, dialer: new Dialer(tcp, tally), seal });
    this.#nodes = new FollowedNodes({
      group,
      proxy: randomBytes(6).toString('hex'),
      links: this.#links,
      isSealed: seal.hasSecret,
      onMessage: (message) => {
        this.#hear(message);
      },
      onLost: (run) => {
        this.#take({ type: 'connection-lost', run });
      },
      onTrouble: (message) => {
        this.#warn(message);
      },
    });
    this.#state = initialFollowing(clock.now());
  }

  async start(
    listener: PrimaryListener,
    onNodes?: (nodes: readonly ReachedNode[]) => void,
  ): Promise<void> {
    this.#listener = listener;
    this.#onNodes = onNodes ?? null;
    this.#options.sight.watch(() => {
      void this.#look();
    });
    await this.#look();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#listener = null;
    this.#onNodes = null;
    this.#cancelWake?.();
    if (this.#lookLater !== null) clearTimeout(this.#lookLater);
    const attached = attachedTo(this.#state);
    if (attached !== null) {
      // Nobody is to wait for a proxy that has ended; one that does not hear of it forgets it soon.
      await this.#nodes.drained(attached.run, attached.epoch, ANSWER_LIMIT_MS).catch(ignore);
    }
    this.#nodes.close();
    this.#links.close();
    await this.#looking;
    await this.#options.sight.close();
  }

  #hear(message: BusMessage): void {
    const { run, epoch } = message;
    switch (message.kind) {
      case 'heartbeat':
        if (message.phase === 'primary') this.#leads(message);
        return;
      case 'promoted':
        this.#leads(message);
        return;
      case 'role':
        if (message.role === 'closing') this.#take({ type: 'closes', run, epoch });
        return;
      case 'shutdown':
        this.#take({ type: 'ended', run, epoch, reason: message.reason });
        return;
    }
  }

  #leads({ run, epoch, target }: Sender & { epoch: number; target?: string }): void {
    this.#take({ type: 'leads', run, epoch, target: target ?? null });
  }

  #take(news: FollowNews): void {
    if (this.#isClosed) return;
    const { clock } = this.#options;
    const { state, effects } = follow(this.#state, { ...news, at: clock.now() });
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
    this.#schedule();
  }

  #perform(effect: FollowEffect): void {
    const listener = this.#listener;
    switch (effect.type) {
      case 'observe':
        void this.#look();
        return;
      case 'ask':
        void this.#ask(effect.run, effect.epoch);
        return;
      case 'say-drained':
        this.#nodes.drained(effect.run, effect.epoch, ANSWER_LIMIT_MS).catch(ignore);
        return;
      case 'tell-ready':
        listener?.ready(effect.term);
        return;
      case 'tell-doubted':
        listener?.doubted(effect.reason);
        return;
      case 'tell-closing':
        listener?.closing(() => {
          this.#take({ type: 'drained', epoch: effect.epoch });
        });
        return;
      case 'tell-lost':
        listener?.lost(effect.reason, effect.epoch);
        return;
      case 'warn':
        this.#warn(effect.message);
        return;
    }
  }

  async #ask(run: string, epoch: number): Promise<void> {
    try {
      const answer = await this.#nodes.attach(run, epoch, ANSWER_LIMIT_MS);
      this.#take({ type: 'answered', run, ...answer });
    } catch {
      this.#take({ type: 'unanswered', run });
    }
  }

  #schedule(): void {
    this.#cancelWake?.();
    this.#cancelWake = null;
    const wakeAt = followWakeAt(this.#state);
    if (wakeAt === Infinity || this.#isClosed) return;
    this.#cancelWake = this.#options.clock.wakeAt(wakeAt, () => {
      this.#take({ type: 'time-passed' });
    });
  }

  /** One look at a time; what changed during it is looked at once more. */
  #look(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    if (this.#looking !== null) {
      this.#looksAgain = true;
      return this.#looking;
    }
    this.#looking = this.#lookUntilSettled().finally(() => {
      this.#looking = null;
      this.#lookSoon();
    });
    return this.#looking;
  }

  async #lookUntilSettled(): Promise<void> {
    do {
      this.#looksAgain = false;
      try {
        const sight = await this.#options.sight.look();
        if (sight === null) this.#warn(withoutNode(this.#options));
        else this.#saw(sight);
      } catch (error) {
        this.#warn(messageOf(error));
      }
      // A change can be told of during the look; nothing else tells the compiler.
    } while (this.#mustLookAgain());
  }

  #mustLookAgain(): boolean {
    return this.#looksAgain && !this.#isClosed;
  }

  #saw({ epoch, holder, members }: Sight): void {
    if (this.#isClosed) return;
    this.#nodes.follow(members, holder?.run ?? null);
    this.#onNodes?.(
      members.flatMap(({ node, target }) => (target === null ? [] : [{ node, target }])),
    );
    if (epoch === 0 && members.length > 0) this.#warn(withoutEpoch(this.#options.group));
    const known = members.find(({ run }) => run === holder?.run);
    const leader = holder === null ? null : { ...holder, target: known?.target ?? null };
    this.#take({ type: 'observed', epoch, leader });
  }

  /** Nodes come and go without a claim; and a change may be missed. */
  #lookSoon(): void {
    if (this.#isClosed) return;
    if (this.#lookLater !== null) clearTimeout(this.#lookLater);
    this.#lookLater = setTimeout(() => {
      this.#lookLater = null;
      void this.#look();
    }, LOOK_INTERVAL_MS);
  }

  #warn(message: string): void {
    if (this.#isClosed || message === this.#warned) return;
    this.#warned = message;
    this.#options.warn(message);
  }
}

/** The directory is another than that of the nodes, or there are none. */
function withoutNode({ group, sight }: GroupSourceOptions): string {
  return `group ${group} has no node yet in ${sight.place}`;
}

/** A server keeps it, or nobody has led yet; with `--lease peers` it is kept nowhere. */
function withoutEpoch(group: string): string {
  return `no epoch of group ${group} is on record here: if its lease is on a server, set --lease`;
}

function ignore(): void {
  // What it would have said is of no use to anybody.
}

/** How long a primary may take to answer: one that does not is forwarded to all the same. */
const ANSWER_LIMIT_MS = 250;

const LOOK_INTERVAL_MS = 1_000;
