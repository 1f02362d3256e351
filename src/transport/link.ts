// The connections to one other process, shared by all groups of this process that follow a node in it.
import type { Endpoints } from '../core/state.ts';
import { monotonicNow } from '../runtime/clock.ts';
import { lackOfLinkDescriptors } from '../spare-descriptors.ts';
import type { Tally } from './counters.ts';
import type { Dialer } from './dialer.ts';
import { GroupsSubscriber } from './groups-subscriber.ts';
import { RpcClient } from './rpc-client.ts';
import type { RpcCall } from './rpc-client.ts';
import {
  COMMON_OPTIONS,
  HIGH_WATER_MARK,
  RECONNECT_OPTIONS,
  keepConnected,
  readMessages,
} from './sockets.ts';
import type { Seal } from './seal.ts';
import { isOverTcp } from './tcp.ts';
import { distrustText, refusalText } from './troubles.ts';
import {
  HEARTBEATS_TOPIC,
  decode,
  decodeTogether,
  topicPrefix,
  topicsBesideHeartbeats,
} from './wire.ts';
import type { BusMessage, Decoded } from './wire.ts';

/** A group's view of a link. */
export interface Follower {
  readonly group: string;
  /** A well-formed message of the group, from whatever node. `mayBeKnown`: it may have come in another way before. */
  messageArrived(message: BusMessage, how?: { readonly mayBeKnown: boolean }): void;
  /** The process is gone or going: at most once for each time that both connections stood. */
  linkLost(): void;
}

/** What all links of a process are made with. */
export interface LinkParts {
  readonly tally: Tally;
  readonly dialer: Dialer;
  readonly seal: Seal;
}

export class Link {
  readonly #subscriber: GroupsSubscriber;
  readonly #rpc: RpcClient;
  /** Whether it is to another machine, or may be: times by this machine's clock mean nothing there. */
  readonly isRemote: boolean;
  readonly #tally: Tally;
  readonly #seal: Seal;
  readonly #followers = new Map<string, Follower>();
  readonly #connected = { bus: false, rpc: false };
  /** How the heartbeats of its followers come: one by one, together as well as soon as it can, or together. */
  #heartbeats: 'apart' | 'asked' | 'together' = 'apart';
  #lost = false;
  /** Who has still to hear of the last loss, and until when they hear of it in turns. */
  readonly #untold = new Set<Follower>();
  #inTurnsUntilMs = 0;
  #closed = false;

  /** @throws FAILOVER_NODE_UNREACHABLE when an address can't be one, or no socket can be made */
  constructor(endpoints: Endpoints, { tally, dialer, seal }: LinkParts) {
    const dial = dialer.optionsFor(endpoints);
    const lack = lackOfLinkDescriptors();
    if (lack !== null) throw lack;
    this.#tally = tally;
    this.#seal = seal;
    this.isRemote = isOverTcp(endpoints);
    this.#subscriber = new GroupsSubscriber({
      ...dial,
      ...COMMON_OPTIONS,
      ...RECONNECT_OPTIONS,
      receiveHighWaterMark: HIGH_WATER_MARK,
    });
    let rpc: RpcClient | null = null;
    try {
      const onRefused = (what: 'key' | 'handshake'): void => {
        tally.trouble(`refused-${what}`, refusalText(endpoints, what));
      };
      rpc = new RpcClient(endpoints.rpc, {
        onChange: (connected) => {
          this.#connectionChanged('rpc', connected);
        },
        onRefused,
        onRejected: (cause) => {
          tally.answerRejected(cause);
        },
        onDistrusted: (cause) => {
          tally.distrusted(cause, distrustText(cause));
        },
        seal,
        dial,
      });
      keepConnected(this.#subscriber, endpoints.bus, {
        onChange: (connected) => {
          this.#connectionChanged('bus', connected);
        },
        onRefused,
      });
    } catch (error) {
      this.#subscriber.close();
      rpc?.close();
      throw error;
    }
    this.#rpc = rpc;
    void readMessages(this.#subscriber, (frames) => {
      this.#receive(frames);
    });
  }

  /** Whether nobody follows it, so that it may be closed. */
  get unused(): boolean {
    return this.#followers.size === 0;
  }

  /** One follower a group. One that comes after the loss hears of it too. */
  add(follower: Follower): void {
    this.#followers.set(follower.group, follower);
    this.#subscriber.subscribe(...this.#topicsOf(follower.group));
    if (this.#heartbeats === 'apart' && this.#followers.size >= MANY_FOLLOWERS) {
      this.#heartbeats = 'asked';
      this.#subscriber.subscribe(HEARTBEATS_TOPIC);
    }
    if (!this.#lost) return;
    queueMicrotask(() => {
      if (this.#lost && this.#follows(follower)) follower.linkLost();
    });
  }

  /** Nothing is delivered to this follower from here on. */
  remove(follower: Follower): void {
    if (!this.#follows(follower)) return;
    this.#followers.delete(follower.group);
    this.#untold.delete(follower);
    if (!this.#closed) this.#subscriber.unsubscribe(...this.#topicsOf(follower.group));
  }

  call(call: RpcCall): Promise<unknown> {
    return this.#rpc.call(call);
  }

  close(): void {
    this.#closed = true;
    this.#followers.clear();
    this.#untold.clear();
    this.#subscriber.close();
    this.#rpc.close();
  }

  #follows(follower: Follower): boolean {
    return this.#followers.get(follower.group) === follower;
  }

  #receive(frames: readonly Buffer[]): void {
    if (this.#closed) return;
    this.#tally.received();
    const [topic, body, ...rest] = frames;
    const label = topic?.toString('latin1') ?? '';
    const opened = this.#seal.open(label, body ?? EMPTY);
    if ('distrusted' in opened) {
      this.#tally.distrusted(opened.distrusted, distrustText(opened.distrusted));
      return;
    }
    if (label === HEARTBEATS_TOPIC && frames.length === 2) {
      this.#receiveTogether(opened.body);
      return;
    }
    const meant =
      topic === undefined || body === undefined ? frames : [topic, opened.body, ...rest];
    const decoded = decode(meant, this.#knows);
    // Said before the other process knew that they are to come together.
    const isDouble = 'message' in decoded && decoded.message.kind === 'heartbeat';
    if (!(isDouble && this.#heartbeats === 'together')) this.#deliver(decoded);
  }

  /** The first that comes shows that the other process says them so: until then, and to an older one, they come apart. */
  #receiveTogether(body: Uint8Array): void {
    const all = decodeTogether(body, this.#knows);
    const isSaidSo = all.some((decoded) => 'message' in decoded);
    // Where a connection has dropped, who listens there next may be of another version.
    if (this.#heartbeats === 'asked' && isSaidSo && !this.#lost) this.#resubscribe('together');
    for (const decoded of all) this.#deliver(decoded, { mayBeKnown: true });
  }

  #deliver(decoded: Decoded, how?: { readonly mayBeKnown: boolean }): void {
    if ('rejected' in decoded) this.#tally.rejected(decoded.rejected);
    else this.#followers.get(decoded.message.group)?.messageArrived(decoded.message, how);
  }

  readonly #knows = (group: string): boolean => this.#followers.has(group);

  #topicsOf(group: string): readonly string[] {
    return this.#heartbeats === 'together' ? topicsBesideHeartbeats(group) : [topicPrefix(group)];
  }

  /** The new ones first, so that nothing is missed. */
  #resubscribe(heartbeats: 'asked' | 'together'): void {
    const groups = [...this.#followers.keys()];
    const before = groups.flatMap((group) => this.#topicsOf(group));
    this.#heartbeats = heartbeats;
    // No topic at all would stand for every topic.
    if (groups.length === 0) return;
    this.#subscriber.subscribe(...groups.flatMap((group) => this.#topicsOf(group)));
    this.#subscriber.unsubscribe(...before);
  }

  /**
   * Either connection breaking is the loss. A new life begins once both stand again, so that the
   * second of the two to break does not count as another loss.
   */
  #connectionChanged(which: 'bus' | 'rpc', connected: boolean): void {
    if (this.#closed) return;
    this.#connected[which] = connected;
    if (!connected && this.#heartbeats === 'together') this.#resubscribe('asked');
    if (this.#connected.bus && this.#connected.rpc) this.#lost = false;
    if (connected || this.#lost) return;
    this.#lost = true;
    const isTelling = this.#untold.size > 0;
    for (const follower of this.#followers.values()) this.#untold.add(follower);
    this.#inTurnsUntilMs = monotonicNow() + IN_TURNS_MS;
    if (!isTelling) this.#tellNext();
  }

  /**
   * Some at once, and the next in another turn of the loop: what a thousand groups do then takes long, and what the first
   * of them wait for, such as another process that starts their commands, can be at it meanwhile. Also where both stand
   * again by then: it may be another process that has the address now.
   */
  readonly #tellNext = (): void => {
    const isInTime = monotonicNow() < this.#inTurnsUntilMs;
    const next = [...this.#untold].slice(0, isInTime ? TOLD_AT_ONCE : Infinity);
    for (const follower of next) {
      // It may have gone while the others heard of it.
      if (this.#untold.delete(follower)) follower.linkLost();
    }
    if (this.#untold.size > 0) setImmediate(this.#tellNext);
  };
}

/** Of so few nobody waits long for the others. */
const TOLD_AT_ONCE = 64;

/** Then the rest hear of it at once: far sooner than the silence tells them. */
const IN_TURNS_MS = 500;

const EMPTY: Buffer = Buffer.alloc(0);

/** Who follows fewer groups of a process, which may have a thousand, hears these alone. */
const MANY_FOLLOWERS = 8;

/** All links of a process, one for each process that is followed. */
export class Links {
  readonly #links = new Map<string, Link>();
  readonly #parts: LinkParts;

  constructor(parts: LinkParts) {
    this.#parts = parts;
  }

  /** @throws see the constructor of {@link Link} */
  acquire(endpoints: Endpoints, follower: Follower): Link {
    const key = keyOf(endpoints);
    const link = this.#links.get(key) ?? new Link(endpoints, this.#parts);
    this.#links.set(key, link);
    link.add(follower);
    return link;
  }

  /** The last follower closes the link behind it. */
  release(endpoints: Endpoints, follower: Follower): void {
    const key = keyOf(endpoints);
    const link = this.#links.get(key);
    if (link === undefined) return;
    link.remove(follower);
    if (!link.unused) return;
    this.#links.delete(key);
    link.close();
  }

  get size(): number {
    return this.#links.size;
  }

  close(): void {
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
  }
}

function keyOf({ bus, rpc, key = '' }: Endpoints): string {
  return `${bus}\n${rpc}\n${key}`;
}
