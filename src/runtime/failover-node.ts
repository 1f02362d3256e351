// One node of one group: what can be asked of it.
import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { hostname } from 'node:os';
import type { RunOptions } from '../config/load.ts';
import { defaultNodeId, withSuffix } from '../config/names.ts';
import { copyAt } from '../core/copy.ts';
import { explanationOf } from '../core/explanation.ts';
import type { Explanation } from '../core/explanation.ts';
import { reportOf } from '../core/report.ts';
import type { EventBody } from '../core/event.ts';
import type { Endpoints, NodeState, StopOrder, Takeover } from '../core/state.ts';
import type { Settings } from '../core/settings.ts';
import type { FailoverError } from '../errors.ts';
import { probeDeathSignal } from '../workload/death-signal.ts';
import type { JournalReport } from '../journal/node-journal.ts';
import { attachAnswerOf } from './attach-answer.ts';
import type { AttachAnswer } from './attach-answer.ts';
import { beforeStart } from './before-start.ts';
import { callOut } from './call-out.ts';
import { accepted, codeOf } from './failures.ts';
import type { NodeEvents, NodeTransition } from './narrator.ts';
import { NodeEngine } from './node-engine.ts';
import type { NodeParts } from './node-engine.ts';
import { isNamedBy, openTransport, sparesOrphans } from './node-extras.ts';
import type { FailoverNodeExtras } from './node-extras.ts';
import { serve } from './node-requests.ts';
import { setupOf } from './node-setup.ts';
import type { NodeSetup } from './node-setup.ts';
import { predictionOf } from './node-status.ts';
import type { NodeStatus } from './node-status.ts';
import { onAbort, refuseAborted, unlessAborted } from './on-abort.ts';
import { withPeers } from './peer-counts.ts';
import { rehearseOnceStandingBy } from './rehearse-soon.ts';
import { rehearse } from './rehearsal.ts';
import { startAheadWhenSettled } from './start-ahead.ts';
import { StoreViews } from './store-view.ts';
import type { StoreView } from './store-view.ts';
import { setPaused } from './set-paused.ts';

export interface PromoteOptions {
  readonly force?: boolean;
  readonly signal?: AbortSignal;
}

/** Enough for two that made up the same id. */
const SUFFIX_BYTES = 3;

/**
 * A node of a group. `FailoverNode.start` resolves once it takes part; its workload is started when it
 * becomes the primary. It ends by `stop()`, or by itself (see the `exit` event), never by an exception.
 */
export class FailoverNode extends EventEmitter<NodeEvents> implements AsyncDisposable {
  readonly settings: Settings;
  /** Resolves when the node has ended and everything is closed. */
  readonly ended: Promise<StopOrder>;
  readonly #engine: NodeEngine;
  readonly #storeViews = new StoreViews();
  readonly #ownsProcess: boolean;
  /** The setup of the node; null: nobody has asked for it yet. */
  #setup: NodeSetup | null = null;
  readonly #rehearse: FailoverNodeExtras['rehearse'];
  #rehearsal: Parameters<typeof predictionOf>[1] = null;

  /**
   * Opens everything and begins to take part.
   * @throws FAILOVER_COMMAND_NOT_FOUND, FAILOVER_COMMAND_NOT_EXECUTABLE, FAILOVER_NODE_TAKEN,
   *   FAILOVER_CLIENT_MISSING, FAILOVER_STORE_REFUSED,
   *   FAILOVER_STATE_DIR_*, FAILOVER_PATH_TOO_LONG, FAILOVER_ADDRESS_IN_USE, FAILOVER_BAD_KEY_FILE,
   *   FAILOVER_REFUSED when the signal is aborted before it takes part; nothing is left open then
   */
  static async start(options: RunOptions, extras: FailoverNodeExtras = {}): Promise<FailoverNode> {
    refuseAborted(extras.signal, 'start');
    const openLease = await beforeStart(options, extras.createWorkload === undefined);
    const deathSignal = sparesOrphans(options, extras) ? false : await probeDeathSignal();
    const { transport, closeTransport } = openTransport(options, extras);
    try {
      const parts = { options, extras, transport, closeTransport, deathSignal, openLease };
      const node = await FailoverNode.#connected(parts);
      if (!isNamedBy(options, node.settings.nodeId)) node.setEnabled(false);
      if (node.#engine.keeper !== null) {
        node.#rehearsal = 'on-server';
        startAheadWhenSettled(node, () => node.#engine.workload.startAhead?.());
      } else if (extras.createWorkload === undefined)
        rehearseOnceStandingBy(node, node.#engine.warn);
      else node.#rehearsal = 'never';
      // Before it begins: a node that is to end by then claims nothing.
      node.#endOn(extras.signal);
      // After the caller had its turn: the first transitions come at once, and it wants to hear them.
      setImmediate(() => {
        node.#engine.begin();
      });
      return node;
    } catch (error) {
      await closeTransport();
      throw error;
    }
  }

  /** An id that nobody has given is another one where it is taken. */
  static async #connected(parts: NodeParts): Promise<FailoverNode> {
    const { node: given } = parts.options;
    const madeUp = defaultNodeId({ hostname: hostname(), pid: process.pid });
    try {
      return await FailoverNode.#connectedAs(given ?? madeUp, parts);
    } catch (error) {
      if (given !== null || codeOf(error) !== 'FAILOVER_NODE_TAKEN') throw error;
    }
    const suffix = `-${randomBytes(SUFFIX_BYTES).toString('hex')}`;
    return FailoverNode.#connectedAs(withSuffix(madeUp, suffix), parts);
  }

  static async #connectedAs(nodeId: string, parts: NodeParts): Promise<FailoverNode> {
    const node = new FailoverNode(nodeId, parts);
    await node.#engine.connect();
    return node;
  }

  private constructor(nodeId: string, parts: NodeParts) {
    super();
    this.#rehearse = parts.extras.rehearse;
    this.#ownsProcess = parts.extras.ownsProcess === true;
    let resolve: (order: StopOrder) => void = () => undefined;
    this.ended = new Promise((settle) => {
      resolve = settle;
    });
    this.#engine = new NodeEngine(nodeId, parts, {
      events: this,
      onRequest: (method, params) => serve(this, method, params),
      onClosed: (order) => {
        callOut(() => this.emit('exit', order));
        resolve(order);
      },
    });
    this.settings = this.#engine.settings;
  }

  /** The present state: a copy, which stays as it is. */
  get state(): NodeState {
    const { state } = this.#engine.loop;
    return copyAt(state, state.at);
  }

  /** Whether its loop goes on: false also once it has ended. */
  get isTurning(): boolean {
    return this.#engine.loop.isTurning;
  }

  /** Why it had to end: another has its id; null: none is known to. */
  get idTaken(): FailoverError | null {
    return this.#engine.idTaken;
  }

  /** Whether it ends, or has ended, for an error of its own. */
  get isBroken(): boolean {
    return this.#engine.isBroken;
  }

  /** Where other machines reach this node; null: they don't. */
  get remoteEndpoints(): Endpoints | null {
    return this.#engine.remoteEndpoints;
  }

  /** The state directory of the group, by its real path. */
  get directory(): string {
    return this.#engine.local.paths.directory;
  }

  /** The latest transitions, oldest first; bounded. */
  history(): readonly NodeTransition[] {
    return this.#engine.narrator.history();
  }

  /** Why it does what it does, as of now, and where it writes that down. */
  explain(): { readonly explanation: Explanation; readonly journal: JournalReport } {
    const explanation = explanationOf(
      { ...this.#engine.loop.state, at: this.#engine.clock.now() },
      this.settings,
    );
    return { explanation, journal: this.#engine.journal.report() };
  }

  status(): NodeStatus {
    const sight = this.sight();
    return { ...sight, warning: sight.warning ?? this.#engine.ownWarning };
  }

  /**
   * The status without the warnings that its files are looked at for: for callers that ask often, and of many nodes.
   */
  sight(): NodeStatus {
    const report = reportOf(
      { ...this.#engine.loop.state, at: this.#engine.clock.now() },
      this.settings,
    );
    return {
      ...report,
      pid: process.pid,
      host: hostname(),
      startedAt: this.#engine.startedAt,
      latenessMs: Math.round(this.#engine.loop.latenessMs),
      endpoints: this.#engine.bus.endpoints,
      target: this.#engine.options.target,
      workload: {
        ...this.#engine.workload.describe(),
        restarts: report.restarts,
        health: report.health,
      },
      lease: {
        kind: this.#engine.lease.kind,
        guards: this.#engine.lease.guards,
        seen: this.#engine.keeper === null ? null : this.#engine.lease.observe(),
      },
      transport: withPeers(this.#engine.transport.counters(), this.#engine.remote?.counters),
      takeover: predictionOf(report.takeover, this.#rehearsal),
      setup: (this.#setup ??= setupOf(this.#engine.options, this.#ownsProcess)),
      activation: this.#engine.activation,
    };
  }

  /** What the server of the lease shows of all machines, or has shown so long ago at most. @throws as `StoreViews.see` */
  seeStore(maxAgeMs: number): Promise<StoreView> {
    return this.#storeViews.see(this.#engine.remote, maxAgeMs);
  }

  /**
   * Makes this node the primary: the present one hands over, or with `force` is fenced if it does not.
   *
   * @param options.signal gives up the wait; the promotion goes on
   * @throws FAILOVER_PROMOTION_FAILED, FAILOVER_REFUSED
   */
  async promote({ force = false, signal }: PromoteOptions = {}): Promise<Takeover | null> {
    const order = this.orderPromotion({ force, answerEarly: false });
    return (await unlessAborted(order, signal)).takeover;
  }

  /**
   * The same. With `answerEarly` it resolves also once all that is left is to wait for the end of a lease: then
   * `undecided` is set, and `detail` says until when.
   * @throws FAILOVER_PROMOTION_FAILED, FAILOVER_REFUSED
   */
  async orderPromotion(order: { readonly force: boolean; readonly answerEarly: boolean }): Promise<{
    readonly takeover: Takeover | null;
    readonly detail: string;
    readonly undecided?: true;
  }> {
    const build = (requestId: string): EventBody => ({
      type: 'promote-requested',
      requestId,
      ...order,
    });
    return accepted(await this.#engine.loop.request(build));
  }

  /**
   * Steps down; resolves once the lease is free, or with `answerEarly` once it has begun.
   * @throws FAILOVER_REFUSED when this node is not the primary
   */
  async demote(order: {
    readonly successor: string | null;
    readonly holdMs: number | null;
    readonly answerEarly: boolean;
    /** The successor asks for itself, as it goes before this node. */
    readonly preempting?: boolean;
  }): Promise<string> {
    const build = (requestId: string): EventBody => ({
      type: 'demote-requested',
      requestId,
      ...order,
    });
    return accepted(await this.#engine.loop.request(build)).detail;
  }

  /**
   * Probes the primary now and takes over if it is dead. With `answerEarly` it resolves once the probes have
   * been: `undecided` then tells of a primary that answers none of them and does not count as dead yet.
   * @throws FAILOVER_NO_PRIMARY
   */
  async check({ answerEarly }: { readonly answerEarly: boolean }): Promise<{
    readonly takeover: Takeover | null;
    readonly detail: string;
    readonly undecided?: true;
  }> {
    const build = (requestId: string): EventBody => ({
      type: 'check-requested',
      requestId,
      answerEarly,
    });
    return accepted(await this.#engine.loop.request(build));
  }

  /** A proxy forwards to this node in an epoch: a planned end waits for it. Tells how it stands. */
  attach({ proxy, epoch }: { readonly proxy: string; readonly epoch: number }): AttachAnswer {
    this.#engine.loop.dispatch({ type: 'proxy-attached', proxy, epoch });
    return attachAnswerOf(this.#engine.loop.state, this.settings);
  }

  /** Nothing is under way through that proxy any more. */
  drained({ proxy, epoch }: { readonly proxy: string; readonly epoch: number }): void {
    this.#engine.loop.dispatch({ type: 'proxy-drained', proxy, epoch });
  }

  /** No promotion by itself in the whole group until it is resumed; survives every process. */
  async setPaused(paused: boolean, by: string): Promise<void> {
    await setPaused(this.#engine, paused, by);
  }

  /** Disabled, this node follows the primary and claims nothing; what it holds it keeps. */
  setEnabled(enabled: boolean): void {
    // A node that a static lease does not name stays out, whatever its program says.
    const mayLead = enabled && isNamedBy(this.#engine.options, this.settings.nodeId);
    this.#engine.loop.dispatch({ type: 'enabled-changed', enabled: mayLead });
  }

  /** Ends the node in order; `immediate` skips every grace. See `ended`. */
  stop(order: Partial<StopOrder> = {}): void {
    const { exitCode = 0, reason = 'told to stop', immediate = false } = order;
    if (immediate) this.#engine.tidying.hurry();
    this.#engine.loop.dispatch({
      type: 'stop-requested',
      order: { exitCode, reason, immediate },
      requestId: null,
    });
  }

  /** Ends it in order, and resolves when it has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.stop({ reason: 'it is no longer needed' });
    await this.ended;
  }

  /**
   * Plays a promotion through in a directory of its own, so that the first real one is no slower, and
   * remembers how long that took: it is what `status` predicts.
   */
  async rehearse(): Promise<void> {
    const { settings, directory } = this;
    const look = (): void => {
      this.#engine.fencing.look();
    };
    const { command, promoteCommand } = this.#engine.options;
    const spawns = command.length > 0 || promoteCommand !== null;
    const record = this.#engine.record();
    const play = (): Promise<number> => rehearse({ settings, record, directory, look, spawns });
    // Each node its own, also where one plays it through for all.
    this.#engine.workload.startAhead?.();
    this.#rehearsal = await (this.#rehearse ?? ((own) => own()))(play);
  }

  /** Steps down, then lets the process be stopped (SIGTSTP). */
  suspend(): void {
    this.#engine.suspension.ask();
  }

  /** The process goes on (SIGCONT): a suspension that has not happened yet does not happen. */
  withdrawSuspension(): void {
    this.#engine.suspension.withdraw();
  }

  #endOn(signal: AbortSignal | undefined): void {
    const forget = onAbort(signal, () => {
      this.stop({ reason: 'its signal was aborted' });
    });
    void this.ended.then(forget);
  }
}
