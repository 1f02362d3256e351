// One group's share of the transport: the port that a node publishes, follows and probes through.
import type { Announcement } from '../core/effect.ts';
import { healthWordsIn } from '../core/health.ts';
import type { Endpoints, LeaseHolder, StandbyInfo } from '../core/state.ts';
import { messageOf } from '../error-message.ts';
import { FailoverError } from '../errors.ts';
import { monotonicNow } from '../runtime/clock.ts';
import type { Bus, BusEvent, ProbeReport } from '../runtime/ports.ts';
import { isCount, isFields, isName, isText } from './checks.ts';
import type { Reach, Said } from './broadcast.ts';
import type { Tally } from './counters.ts';
import type { Follower, Link, Links } from './link.ts';
import type { RpcMethod, RpcParams } from './rpc-message.ts';
import type { GroupRequests } from './rpc-server.ts';
import { encode } from './wire.ts';
import type { BusMessage } from './wire.ts';

/** What a group tells the transport when it joins. */
export interface GroupOptions {
  readonly group: string;
  readonly nodeId: string;
  /** Random, new for each life of the process. */
  readonly run: string;
  readonly version: string;
  /** Wall clock, ISO 8601: for people. */
  readonly startedAt: string;
  /** Where its command is reached while it leads; null or left out: it does not say. */
  readonly target?: string | null;
  /** Who may hear and ask it, of a process that other machines reach; left out: who is on this machine. */
  readonly reach?: Reach;
  /** What a probe is answered with, beside run and version. */
  readonly describe: () => { readonly epoch: number; readonly role: string };
  /** Called in order of arrival, and never after `close`. */
  readonly onEvent: (event: BusEvent) => void;
  /** Any request but a ping; `params.group` is this group. What it throws reaches the client. */
  readonly onRequest: (
    method: Exclude<RpcMethod, 'instance.ping'>,
    params: RpcParams,
  ) => Promise<unknown>;
}

/** What the process lends to each of its groups. */
export interface SharedSockets {
  readonly endpoints: Endpoints;
  readonly links: Links;
  readonly tally: Tally;
  /** Whether requests are signed: then they say who sent them, and to which run. */
  readonly isSealed: boolean;
  send(said: Said): void;
  leave(group: string): void;
}

export class GroupBus implements Bus, Follower, GroupRequests {
  readonly group: string;
  readonly run: string;
  readonly reach: Reach;
  readonly #options: GroupOptions;
  readonly #shared: SharedSockets;
  readonly #lastSeq = new Map<string, number>();
  /** Of the run that was heard last, which is the same for days. */
  #heard: { readonly run: string; seq: number } = { run: '', seq: 0 };
  #holder: LeaseHolder | null = null;
  #link: Link | null = null;
  #linkProblem: unknown = null;
  #lastHeartbeat: Heartbeat | null = null;
  #seq = 0;
  #requestSeq = 0;
  #closed = false;

  constructor(options: GroupOptions, shared: SharedSockets) {
    this.group = options.group;
    this.run = options.run;
    this.reach = options.reach ?? 'local';
    this.#options = options;
    this.#shared = shared;
  }

  get endpoints(): Endpoints {
    return this.#shared.endpoints;
  }

  publish(announcement: Announcement): void {
    if (this.#closed) return;
    this.#seq += 1;
    this.#shared.send({
      frames: encode(this.#completed(announcement)),
      reach: this.reach,
      heartbeat: hasteOf(announcement),
    });
  }

  follow(holder: LeaseHolder | null): void {
    if (this.#closed || isSame(holder, this.#holder)) return;
    this.#unfollow();
    this.#holder = holder;
    this.#connect();
  }

  async probe(probe: {
    readonly timeoutMs: number;
    readonly standby: StandbyInfo;
  }): Promise<ProbeReport> {
    const params = { group: this.group, standby: probe.standby };
    const { timeoutMs } = probe;
    const result = await this.#call({ method: 'instance.ping', params, timeoutMs });
    return readReport(result);
  }

  async requestDemotion(request: {
    readonly successor: string;
    readonly preempting?: boolean;
    readonly timeoutMs: number;
  }): Promise<{ readonly accepted: boolean; readonly detail: string }> {
    const { successor, preempting = false, timeoutMs } = request;
    // One that was stopped finds the request when it goes on: by then it was refused for lack of an answer.
    const expiresAtMs = monotonicNow() + timeoutMs;
    try {
      // By the clock of this machine; on another a lease that ends is what bounds it.
      const expiry = (this.#link ?? this.#connect())?.isRemote === true ? {} : { expiresAtMs };
      const asked = { group: this.group, successor, answerEarly: true, ...expiry };
      const params = preempting ? { ...asked, preempting } : asked;
      const result = await this.#call({ method: 'instance.demote', params, timeoutMs });
      const detail = isFields(result) && isText(result['detail']) ? result['detail'] : '';
      return { accepted: true, detail };
    } catch (error) {
      return { accepted: false, detail: messageOf(error) };
    }
  }

  close(): Promise<void> {
    this.#unfollow();
    this.#holder = null;
    if (!this.#closed) this.#shared.leave(this.group);
    this.#closed = true;
    return Promise.resolve();
  }

  messageArrived(
    message: BusMessage,
    { mayBeKnown }: { readonly mayBeKnown: boolean } = { mayBeKnown: false },
  ): void {
    const { tally } = this.#shared;
    const holder = this.#holder;
    if (message.run !== holder?.run || message.node !== holder.node) {
      tally.rejected('foreign-node');
    } else if (message.seq <= this.#lastSeqOf(message.run)) {
      if (!mayBeKnown) tally.rejected('replayed');
    } else {
      this.#remember(message);
      tally.delivered();
      const event = eventOf(message, this.#lastHeartbeat);
      if (event?.type === 'heartbeat-received') this.#lastHeartbeat = event;
      if (event !== null) this.#options.onEvent(event);
    }
  }

  linkLost(): void {
    if (this.#holder === null) return;
    this.#options.onEvent({ type: 'connection-lost', run: this.#holder.run });
  }

  ping(standby: StandbyInfo | null): ProbeReport {
    const { run, version } = this.#options;
    if (standby !== null) this.#options.onEvent({ type: 'standby-heard', standby });
    return { run, version, ...this.#options.describe() };
  }

  request(method: Exclude<RpcMethod, 'instance.ping'>, params: RpcParams): Promise<unknown> {
    return this.#options.onRequest(method, params);
  }

  #connect(): Link | null {
    const holder = this.#holder;
    // A node needs no connection to itself, and would hear its own end as a loss.
    if (this.#closed || holder === null || holder.run === this.#options.run) return null;
    try {
      this.#link = this.#shared.links.acquire(holder.endpoints, this);
      this.#linkProblem = null;
    } catch (problem) {
      // Silence and failing probes are how the node learns of it.
      this.#linkProblem = problem;
    }
    return this.#link;
  }

  #unfollow(): void {
    if (this.#holder !== null && this.#link !== null) {
      this.#shared.links.release(this.#holder.endpoints, this);
    }
    this.#link = null;
    this.#linkProblem = null;
  }

  #lastSeqOf(run: string): number {
    return run === this.#heard.run ? this.#heard.seq : (this.#lastSeq.get(run) ?? 0);
  }

  /** The last runs only: a node that followed a thousand others keeps no thousand numbers. */
  #remember({ run, seq }: BusMessage): void {
    if (run === this.#heard.run) {
      this.#heard.seq = seq;
      return;
    }
    this.#lastSeq.set(this.#heard.run, this.#heard.seq);
    this.#lastSeq.delete(run);
    this.#heard = { run, seq };
    const [oldest] = this.#lastSeq.keys();
    if (oldest !== undefined && this.#lastSeq.size >= REMEMBERED_RUNS) this.#lastSeq.delete(oldest);
  }

  async #call(call: { method: RpcMethod; params: RpcParams; timeoutMs: number }): Promise<unknown> {
    // What kept the connection from being made may be over: there were no descriptors left, say.
    const link = this.#link ?? this.#connect();
    if (link !== null) return await link.call({ ...call, params: this.#addressed(call.params) });
    const cause = this.#linkProblem;
    const why = cause instanceof Error ? cause.message : 'no other node is followed';
    throw new FailoverError('FAILOVER_NODE_UNREACHABLE', `Cannot ask: ${why}`, { cause });
  }

  /** What a recorded request lacks when it is sent again: the run that it is meant for, and a new number. */
  #addressed(params: RpcParams): RpcParams {
    const to = this.#holder?.run;
    if (!this.#shared.isSealed || to === undefined) return params;
    this.#requestSeq += 1;
    return { ...params, from: this.run, to, seq: this.#requestSeq };
  }

  #completed(announcement: Announcement): BusMessage {
    const { group, nodeId: node, run, startedAt } = this.#options;
    const sentAt = new Date().toISOString();
    const seq = this.#seq;
    const target = this.#options.target ?? null;
    // A spread, but one that comes last, costs ten times as much.
    switch (announcement.kind) {
      case 'heartbeat':
        return target === null
          ? { group, node, run, seq, sentAt, startedAt, ...announcement }
          : { group, node, run, seq, sentAt, startedAt, target, ...announcement };
      case 'promoted': {
        const { endpoints } = this;
        return target === null
          ? { group, node, run, seq, sentAt, endpoints, ...announcement }
          : { group, node, run, seq, sentAt, endpoints, target, ...announcement };
      }
      case 'role':
      case 'shutdown':
        return { group, node, run, seq, sentAt, ...announcement };
    }
  }
}

/** One that promotes is to be heard before the others try. */
function hasteOf(announcement: Announcement): Said['heartbeat'] {
  if (announcement.kind !== 'heartbeat') return null;
  return announcement.phase === 'primary' ? 'routine' : 'urgent';
}

const REMEMBERED_RUNS = 16;

function isSame(a: LeaseHolder | null, b: LeaseHolder | null): boolean {
  if (a === null || b === null) return a === b;
  return (
    a.node === b.node &&
    a.run === b.run &&
    a.endpoints.bus === b.endpoints.bus &&
    a.endpoints.rpc === b.endpoints.rpc &&
    a.endpoints.key === b.endpoints.key
  );
}

/** What a message is to the node; `null`: nothing that it decides by. */
function eventOf(message: BusMessage, former: Heartbeat | null): BusEvent | null {
  const { node, run, epoch } = message;
  switch (message.kind) {
    case 'heartbeat':
      return heartbeatOf(message, former?.run === run ? former : null);
    case 'promoted':
      return { type: 'promoted-received', node, run, epoch };
    case 'shutdown': {
      const { reason, successor, completed, planned, workloadEndedAgoMs } = message;
      const words = healthWordsIn(message);
      const said = { reason, successor, completed, planned, workloadEndedAgoMs, ...words };
      return { type: 'shutdown-received', node, run, epoch, ...said };
    }
    case 'role':
      return null;
  }
}

type Heartbeat = Extract<BusEvent, { readonly type: 'heartbeat-received' }>;

/**
 * Made of the former's values where they are equal: of each of a thousand groups dozens of heartbeats are kept, for the
 * journal.
 */
function heartbeatOf(
  message: Extract<BusMessage, { readonly kind: 'heartbeat' }>,
  former: Heartbeat | null,
): Heartbeat {
  const { epoch, phase, standing } = message;
  const heard = {
    type: 'heartbeat-received' as const,
    node: former?.node ?? message.node,
    run: former?.run ?? message.run,
    epoch,
    phase,
    succession: sameOr(former?.succession, message.succession),
    lastTakeover: sameOr(former?.lastTakeover, message.lastTakeover),
  };
  const { health, demotions } = message;
  if (health !== undefined || demotions !== undefined) Object.assign(heard, healthWordsIn(message));
  if (standing === undefined) return heard;
  return Object.assign(heard, { standing: sameOr(former?.standing, standing) });
}

function sameOr<T>(former: T | undefined, now: T): T {
  return former !== undefined && isAlike(former, now) ? former : now;
}

/** Of lists of names, and of objects of plain values that this version has read: these have the same keys. */
function isAlike<T>(a: T, b: T): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  if (Array.isArray(a) && Array.isArray(b) && a.length !== b.length) return false;
  for (const key in b) if (a[key as keyof T] !== b[key as keyof T]) return false;
  return true;
}

/** @throws FAILOVER_WIRE_INVALID when the answer is no report */
function readReport(result: unknown): ProbeReport {
  const { run, epoch, role, version } = isFields(result) ? result : {};
  if (isName(run) && isCount(epoch) && isText(role) && isText(version)) {
    return { run, epoch, role, version };
  }
  throw new FailoverError('FAILOVER_WIRE_INVALID', 'Cannot use the probe response: no report');
}
