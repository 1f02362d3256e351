// The core as a library: a program that is primary or secondary itself, by callbacks.
import { EventEmitter } from 'node:events';
import type { RunOptions } from '../config/load.ts';
import type { NodeState, Role, StopOrder, Takeover } from '../core/state.ts';
import { FailoverError } from '../errors.ts';
import { callOut } from '../runtime/call-out.ts';
import { FailoverNode } from '../runtime/failover-node.ts';
import type { NodeTransition } from '../runtime/narrator.ts';
import type { WorkloadParts } from '../runtime/node-extras.ts';
import type { NodeStatus } from '../runtime/node-status.ts';
import { onAbort, unlessAborted } from '../runtime/on-abort.ts';
import { noTransport } from '../transport/node-transport.ts';
import { CallbackWorkload } from './callback-workload.ts';
import type { PromoteCallback } from './callback-workload.ts';
import { ProbedBus } from './probed-bus.ts';
import type { ProbePrimary } from './probed-bus.ts';
import { statusText } from './status-text.ts';
import { nodeOptionsOf } from './watcher-options.ts';
import type { WatcherOptions } from './watcher-options.ts';

/** A change of a watcher's role. */
export interface RoleChange {
  readonly from: Role;
  readonly to: Role;
  /** Of the term it acts under, or the highest it has seen. */
  readonly epoch: number;
  readonly reason: string;
  /** How it came to be the primary; null for every other change. */
  readonly takeover: Takeover | null;
}

export interface WatcherEvents {
  /** It is primary, candidate, secondary or stopped from now on. */
  role: [RoleChange];
  /** Every step between two phases, also within a role. */
  transition: [NodeTransition];
  /** Something a person should know; nothing has failed yet. */
  warning: [string];
  /** It has ended and everything is closed: by `shutdown`, or by itself. */
  ended: [StopOrder];
}

/**
 * One program's part in a group: it is the primary, or stands by for it. The promote callback makes it
 * the primary; the program says nothing and decides nothing about when.
 *
 * It never ends by itself after an attempt that failed, and without a promote callback it takes no
 * lease but the one that `Watcher.primary` starts with. Not promised: that code of this program which
 * heeds no signal has ended when another becomes the primary.
 */
export class Watcher extends EventEmitter<WatcherEvents> implements AsyncDisposable {
  readonly group: string;
  readonly nodeId: string;
  readonly #kind: 'primary' | 'secondary';
  readonly #options: RunOptions;
  readonly #given: WatcherOptions;
  #workload: CallbackWorkload | null = null;
  #promote: PromoteCallback | null;
  #probePrimary: ProbePrimary | null;
  #enabled: boolean;
  #hasLed = false;
  #role: Role = 'secondary';
  #node: FailoverNode | null = null;
  #opening: Promise<FailoverNode> | null = null;
  #starting: Promise<void> | null = null;
  #ending: Promise<void> | null = null;

  /**
   * A program that already is the primary: its `start` takes the lease or fails.
   * @throws FAILOVER_BAD_OPTION, FAILOVER_BAD_GROUP, FAILOVER_BAD_NODE_ID, FAILOVER_SETTINGS_CONFLICT
   */
  static primary(options: WatcherOptions = {}): Watcher {
    return new Watcher('primary', options);
  }

  /**
   * A program that stands by: it listens for one heartbeat timeout before it ever claims.
   * @throws as `primary`
   */
  static secondary(options: WatcherOptions = {}): Watcher {
    return new Watcher('secondary', options);
  }

  private constructor(kind: 'primary' | 'secondary', given: WatcherOptions) {
    super();
    this.#kind = kind;
    this.#given = given;
    this.#options = nodeOptionsOf(kind, given);
    this.group = this.#options.group;
    this.nodeId = this.#options.node ?? '';
    this.#promote = given.promote ?? null;
    this.#probePrimary = given.probePrimary ?? null;
    this.#enabled = given.enabled ?? true;
  }

  /** `secondary` before the start, `stopped` after the end. */
  get role(): Role {
    return this.#node?.state.role ?? this.#role;
  }

  /** Whether its term has begun and not yet begun to end. */
  get isPrimary(): boolean {
    const state = this.#node?.state;
    return state?.role === 'primary' && state.phase !== 'demoting';
  }

  /** The epoch of its term, or the highest it has seen: the fencing token for what the primary writes. */
  get epoch(): number {
    return this.status()?.epoch ?? 0;
  }

  /** When the primary was last heard; null on the primary itself and while nobody is followed. */
  get lastHeartbeat(): Date | null {
    const status = this.status();
    if (status?.role !== 'secondary' || status.lastHeartbeatMs === null) return null;
    return new Date(Date.now() - status.lastHeartbeatMs);
  }

  /** All it knows, as `failover status` shows it; null before the start. */
  status(): NodeStatus | null {
    return this.#node?.status() ?? null;
  }

  /** The same as a few lines for people. */
  formatStatus(): string {
    const status = this.status();
    if (status !== null) return statusText(this.group, status);
    const what = this.#ending === null ? 'not started' : 'shut down';
    return `${this.nodeId} in group ${this.group}: ${what}`;
  }

  /**
   * Takes part. A secondary's start resolves once it does, a primary's once it is the primary. After an
   * error nothing is left open, and the watcher has ended.
   *
   * @throws FAILOVER_LEASE_HELD (a primary's), FAILOVER_PROMOTION_FAILED (a primary's), FAILOVER_REFUSED
   *   after a shutdown, FAILOVER_NODE_TAKEN, FAILOVER_STATE_DIR_*, FAILOVER_PATH_TOO_LONG,
   *   FAILOVER_ADDRESS_IN_USE: it never runs without the sockets it was to have
   */
  start(): Promise<void> {
    if (this.#ending !== null) return Promise.reject(refused('it was shut down'));
    this.#starting ??= this.#start();
    return this.#starting;
  }

  /**
   * Leaves the group: a primary's callbacks end, its lease is free, and only then the others are told.
   * Safe before, during and after the start, and a second time; never rejects.
   */
  shutdown(reason = 'shutdown'): Promise<void> {
    this.#ending ??= this.#end(reason);
    return this.#ending;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  /**
   * Probes the primary now and takes over if it is dead. Resolves when the primary lives, when this is
   * the primary, and when the promotion succeeded.
   *
   * @param options.signal gives up the wait; the probe goes on
   * @throws FAILOVER_NO_PRIMARY when probe and promotion failed, FAILOVER_REFUSED before the start and
   *   once the shutdown has begun
   */
  async checkAndMaybeFailover({ signal }: { readonly signal?: AbortSignal } = {}): Promise<{
    readonly takeover: Takeover | null;
    readonly detail: string;
  }> {
    if (this.#ending !== null) throw refused('it is shutting down');
    if (this.#node === null) throw refused('it was not started');
    const check = this.#node.check({ answerEarly: false });
    const { takeover, detail } = await unlessAborted(check, signal);
    return { takeover, detail };
  }

  /** Disabled, it follows the primary and takes no lease; a term goes on once the lease is its own. */
  setEnabled(enabled: boolean): void {
    this.#enabled = enabled;
    this.#tellWillingness();
  }

  /** Replaces the probe over the sockets; null: that one again. It is limited by `probeTimeoutMs`. */
  setProbePrimary(probe: ProbePrimary | null): void {
    this.#probePrimary = probe;
  }

  /** From the next promotion on; null: it is promoted no more. Limited by `promoteTimeoutMs`. */
  setPromoteCallback(promote: PromoteCallback | null): void {
    this.#promote = promote;
    if (this.#workload !== null) this.#workload.promote = promote;
    this.#tellWillingness();
  }

  async #start(): Promise<void> {
    const { signal } = this.#given;
    if (signal?.aborted === true) {
      await this.shutdown('aborted');
      throw refused('its signal was aborted');
    }
    const forget = onAbort(signal, () => void this.shutdown('aborted'));
    try {
      this.#opening = this.#open();
      this.#node = await this.#opening;
    } catch (error) {
      forget();
      this.#ending ??= Promise.resolve();
      this.#role = 'stopped';
      throw error;
    }
    const node = this.#node;
    // As of now, before it begins: it may have been told something while it was opened.
    this.#tellWillingness();
    void node.ended.then((order) => {
      forget();
      this.#ending ??= Promise.resolve();
      // Of one that is broken no transition has told.
      this.#tellRole({ to: 'stopped', epoch: this.epoch, reason: order.reason, takeover: null });
      callOut(() => this.emit('ended', order));
    });
    if (this.#kind === 'primary') await this.#untilPrimary(node);
  }

  async #open(): Promise<FailoverNode> {
    const { bus, socketDir } = this.#given;
    const transport = bus === null ? noTransport() : bus;
    const node = await FailoverNode.start(this.#options, {
      ...(socketDir === undefined ? {} : { socketDir }),
      ...(transport === undefined ? {} : { transport }),
      wrapBus: (inner) =>
        new ProbedBus(inner, {
          probe: () => this.#probePrimary,
          epoch: () => this.#node?.state.epochFloor ?? 0,
        }),
      createWorkload: (parts) => this.#createWorkload(parts),
    });
    node.on('transition', (transition) => {
      this.#tell(transition);
    });
    node.on('warning', (warning) => {
      callOut(() => this.emit('warning', warning));
    });
    return node;
  }

  #createWorkload(parts: WorkloadParts): CallbackWorkload {
    const workload = new CallbackWorkload(parts);
    workload.promote = this.#promote;
    workload.demote = this.#given.demote ?? null;
    this.#workload = workload;
    return workload;
  }

  #tell(transition: NodeTransition): void {
    const { role, epoch, reason, takeover } = transition;
    if (role === 'primary' && !this.#hasLed) {
      this.#hasLed = true;
      this.#tellWillingness();
    }
    callOut(() => this.emit('transition', transition));
    this.#tellRole({ to: role, epoch, reason, takeover });
  }

  #tellRole(change: Omit<RoleChange, 'from'>): void {
    const from = this.#role;
    this.#role = change.to;
    if (from !== change.to) callOut(() => this.emit('role', { from, ...change }));
  }

  /** A primary's own start needs no callback: the program is what it claims to be already. */
  #mayLead(): boolean {
    if (this.#kind === 'primary' && !this.#hasLed) return true;
    return this.#enabled && this.#promote !== null;
  }

  #tellWillingness(): void {
    this.#node?.setEnabled(this.#mayLead());
  }

  /** Resolves when the node leads; ends the watcher when its first claim came to nothing. */
  async #untilPrimary(node: FailoverNode): Promise<void> {
    const failure = await new Promise<FailoverError | null>((resolve) => {
      const look = (): void => {
        const failed = startFailure(node.state, this.group);
        if (failed === undefined) return;
        node.off('transition', look);
        resolve(failed);
      };
      node.on('transition', look);
      void node.ended.then(look);
      look();
    });
    if (failure === null) return;
    await this.shutdown(failure.message);
    throw failure;
  }

  async #end(reason: string): Promise<void> {
    if (this.#opening === null) {
      this.#role = 'stopped';
      return;
    }
    const node = await this.#opening.catch(() => null);
    if (node === null) return;
    node.stop({ reason });
    await node.ended;
  }
}

/** Null: it leads. Undefined: it is not decided yet. */
function startFailure(state: NodeState, group: string): FailoverError | null | undefined {
  switch (state.phase) {
    case 'serving':
      return null;
    case 'watching':
    case 'suspecting': {
      const holder = state.primary?.node ?? 'another node';
      return new FailoverError('FAILOVER_LEASE_HELD', `Cannot start as primary: ${holder} leads`, {
        details: { group },
      });
    }
    case 'waiting':
    case 'stopping':
    case 'stopped': {
      const held = state.role === 'stopped' && state.order.cause === 'lease-held';
      const code = held ? 'FAILOVER_LEASE_HELD' : failureCode(state);
      return new FailoverError(code, `Cannot start as primary: ${state.lastReason}`, {
        details: { group },
      });
    }
    default:
      return undefined;
  }
}

function failureCode(state: NodeState): 'FAILOVER_PROMOTION_FAILED' | 'FAILOVER_REFUSED' {
  return state.failures > 0 ? 'FAILOVER_PROMOTION_FAILED' : 'FAILOVER_REFUSED';
}

function refused(why: string): FailoverError {
  return new FailoverError('FAILOVER_REFUSED', `Cannot do that with this watcher: ${why}`);
}
