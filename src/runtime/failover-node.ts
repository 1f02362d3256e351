// One node of one group, put together: the core's loop and the adapters it acts through.
import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { hostname } from 'node:os';
import type { RunOptions } from '../config/load.ts';
import { defaultNodeId, withSuffix } from '../config/names.ts';
import { explanationOf } from '../core/explanation.ts';
import type { Explanation } from '../core/explanation.ts';
import { reportOf } from '../core/report.ts';
import type { EventBody } from '../core/event.ts';
import type { Endpoints, NodeState, StopOrder, Takeover } from '../core/state.ts';
import type { Settings } from '../core/settings.ts';
import type { ProcessFencing } from '../fence/fence.ts';
import { RemoteFencing } from '../fence/remote-fencing.ts';
import { describeProcess } from '../fence/process-view.ts';
import type { GuardKeeper } from '../guard/keeper.ts';
import type { FailoverError } from '../errors.ts';
import type { LocalGroup } from '../lease/file/local-group.ts';
import type { LeaseStore } from '../lease/lease-store.ts';
import type { RemoteStore } from '../lease/remote-store.ts';
import type { NodeTransport } from '../transport/node-transport.ts';
import { packageVersion } from '../version.ts';
import { resolveCommand } from '../workload/command-path.ts';
import { probeDeathSignal } from '../workload/death-signal.ts';
import type { JournalReport, NodeJournal } from '../journal/node-journal.ts';
import { monotonicNow } from './clock.ts';
import { closeInOrder, closeUnbegun } from './closing.ts';
import type { OpenParts } from './closing.ts';
import { accepted, codeOf, messageOf } from './failures.ts';
import { Narrator } from './narrator.ts';
import type { NodeEvents, NodeTransition } from './narrator.ts';
import { NodeLoop } from './node.ts';
import { mayLead, openTransport, sparesOrphans } from './node-extras.ts';
import type { FailoverNodeExtras, WorkloadParts } from './node-extras.ts';
import { attachAnswerOf } from './attach-answer.ts';
import type { AttachAnswer } from './attach-answer.ts';
import { AwaitedHolders } from './awaited-holders.ts';
import {
  buildFencing,
  buildHealthChecks,
  buildJournal,
  buildWorkload,
  nodeRecordOf,
} from './node-parts.ts';
import type { NodeContext } from './node-parts.ts';
import { serve } from './node-requests.ts';
import { setupOf } from './node-setup.ts';
import type { NodeSetup } from './node-setup.ts';
import { namespaceWarning, predictionOf, removalWarning } from './node-status.ts';
import type { Activation, NodeStatus } from './node-status.ts';
import { leaseOpener } from './node-lease.ts';
import type { OpenNodeLease } from './node-lease.ts';
import type { Bus, Clock, HealthChecks, NodeWorkload } from './ports.ts';
import { rehearseOnceStandingBy } from './rehearse-soon.ts';
import { rehearse } from './rehearsal.ts';
import { startAheadWhenSettled } from './start-ahead.ts';
import { settingsOf } from './settings-of.ts';
import { StandbyRenewal } from './standby-renewal.ts';
import { viewOf } from './store-view.ts';
import type { StoreView } from './store-view.ts';
import { Suspension } from './suspension.ts';
import { Tidying } from './tidying.ts';
import { Upkeep } from './upkeep.ts';
import { peerTroubles, withPeers } from './peer-counts.ts';

interface NodeParts {
  readonly options: RunOptions;
  readonly extras: FailoverNodeExtras;
  readonly transport: NodeTransport;
  readonly closeTransport: () => Promise<void>;
  readonly deathSignal: boolean;
  readonly openLease: OpenNodeLease;
}

/** Enough for two that made up the same id. */
const SUFFIX_BYTES = 3;

/**
 * A node of a group. `FailoverNode.start` resolves once it takes part; its workload is started when it
 * becomes the primary. It ends by `stop()`, or by itself (see the `exit` event), never by an exception.
 */
export class FailoverNode extends EventEmitter<NodeEvents> {
  readonly settings: Settings;
  /** Resolves when the node has ended and everything is closed. */
  readonly ended: Promise<StopOrder>;
  readonly #options: RunOptions;
  readonly #warnsOfOrphans: boolean;
  readonly #startedAt = new Date().toISOString();
  readonly #transport: NodeTransport;
  /** Closes the sockets, if they are this node's own. */
  readonly #closeTransport: () => Promise<void>;
  readonly #local: LocalGroup;
  readonly #lease: LeaseStore;
  readonly #remote: RemoteStore | null;
  readonly #clock: Clock;
  readonly #keeper: GuardKeeper | null;
  readonly #connect: () => Promise<void>;
  readonly #workload: NodeWorkload;
  readonly #fencing: ProcessFencing;
  readonly #tidying: Tidying;
  readonly #bus: Bus;
  readonly #health: HealthChecks;
  readonly #loop: NodeLoop;
  readonly #upkeep: Upkeep;
  readonly #narrator = new Narrator(this);
  readonly #awaited = new AwaitedHolders({
    describe: describeProcess,
    warn: (warning) => {
      this.#warn(warning);
    },
  });
  readonly #renewal: StandbyRenewal;
  readonly #suspension: Suspension;
  readonly #journal: NodeJournal;
  #resolveEnded: (order: StopOrder) => void = () => undefined;
  readonly #setup: NodeSetup;
  #rehearsal: Parameters<typeof predictionOf>[1] = null;
  #activation: Activation | null = null;
  #idTaken: FailoverError | null = null;

  /**
   * Opens everything and begins to take part.
   * @throws FAILOVER_COMMAND_NOT_FOUND, FAILOVER_COMMAND_NOT_EXECUTABLE, FAILOVER_NODE_TAKEN,
   *   FAILOVER_CLIENT_MISSING, FAILOVER_STORE_REFUSED,
   *   FAILOVER_STATE_DIR_*, FAILOVER_PATH_TOO_LONG, FAILOVER_ADDRESS_IN_USE, FAILOVER_BAD_KEY_FILE; nothing is
   *   left open then
   */
  static async start(options: RunOptions, extras: FailoverNodeExtras = {}): Promise<FailoverNode> {
    const program = options.command[0];
    if (program !== undefined) resolveCommand(program, process.env);
    const deathSignal = sparesOrphans(options, extras) ? false : await probeDeathSignal();
    const openLease = await leaseOpener(options, extras.createWorkload === undefined);
    const { transport, closeTransport } = openTransport(options, extras);
    try {
      const parts = { options, extras, transport, closeTransport, deathSignal, openLease };
      const node = await FailoverNode.#connected(parts);
      if (!mayLead(options, extras, node.settings.nodeId)) node.setEnabled(false);
      if (node.#keeper !== null) {
        node.#rehearsal = 'on-server';
        startAheadWhenSettled(node, () => node.#workload.startAhead?.());
      } else if (extras.createWorkload === undefined) rehearseOnceStandingBy(node, node.#warn);
      else node.#rehearsal = 'never';
      // After the caller had its turn: the first transitions come at once, and it wants to hear them.
      setImmediate(() => {
        node.#begin();
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
    await node.#connect();
    return node;
  }

  private constructor(nodeId: string, parts: NodeParts) {
    super();
    const { options, extras, transport } = parts;
    const run = randomBytes(6).toString('hex');
    this.#options = options;
    this.#setup = setupOf(options, extras.ownsProcess === true);
    this.#warnsOfOrphans = !(parts.deathSignal || sparesOrphans(options, extras));
    this.#transport = transport;
    this.#closeTransport = parts.closeTransport;
    this.settings = settingsOf(options, { nodeId, run, version: packageVersion() });
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    const opened = parts.openLease({
      settings: this.settings,
      record: this.#record(),
      remoteEndpoints: transport.remoteEndpoints ?? null,
      deathSignal: parts.deathSignal,
      onGuardLost: (cause) => {
        this.#loop.dispatch({ type: 'lease-lost', cause, withinMs: 0 });
      },
      onIdWait: (fact) => extras.onIdWait?.(fact) ?? null,
      onIdTaken: (error) => {
        this.#idTaken = error;
        this.stop({ exitCode: error.exitCode, reason: error.message });
      },
    });
    ({ local: this.#local, lease: this.#lease, remote: this.#remote } = opened);
    ({ clock: this.#clock, keeper: this.#keeper } = opened);
    this.#connect = () => this.#begun(opened.begin());
    try {
      const bus = this.#openBus();
      this.#bus = extras.wrapBus?.(bus) ?? bus;
    } catch (error) {
      // It holds nothing yet: closing it only forgets the record, and what failed first is what counts.
      this.#lease.close().catch(() => undefined);
      throw error;
    }
    this.#fencing = buildFencing(this.#context(), () => this.#workload);
    this.#workload =
      extras.createWorkload?.(this.#workloadParts()) ??
      buildWorkload(this.#context(), () => this.#fencing, parts.deathSignal);
    this.#health = buildHealthChecks(this.#context(), () => this.#loop.state, parts.deathSignal);
    this.#tidying = new Tidying(this.#context());
    this.#journal = buildJournal(this.#record(), {
      settings: this.settings,
      paths: this.#local.paths,
      phase: () => this.#loop.state.phase,
    });
    this.#renewal = new StandbyRenewal({
      workload: () => this.#workload,
      stopGraceMs: this.settings.stopGraceMs,
      state: () => this.#loop.state,
      dispatch: (event) => {
        this.#loop.dispatch(event);
      },
      warn: this.#warn,
    });
    this.#suspension = new Suspension({
      stopProcess: extras.suspend ?? null,
      state: () => this.#loop.state,
      dispatch: (event) => {
        this.#loop.dispatch(event);
      },
      flush: () => this.#journal.flush(),
    });
    this.#loop = this.#createLoop();
    this.#lease.watch(() => {
      this.#loop.dispatch({ type: 'lease-changed' });
    });
    this.#upkeep = new Upkeep({
      transport,
      role: () => this.#loop.state.role,
      updateEndpoints: (endpoints) => {
        this.#moveTo(endpoints);
      },
      tidy: () => {
        void this.#tidying.tidy();
      },
      removedAtMs: () => this.#local.removal?.atMs ?? null,
      removalWarning: () => this.#removalWarning(),
      look: () => {
        this.#fencing.look();
      },
      forgetEmptySessions: () => this.#workload.forgetEmptySessions(),
      troubles: () => peerTroubles(this.#remote?.counters),
      warn: this.#warn,
    });
  }

  get state(): NodeState {
    return this.#loop.state;
  }

  /** Why it had to end: another has its id; null: none is known to. */
  get idTaken(): FailoverError | null {
    return this.#idTaken;
  }

  /** Where other machines reach this node; null: they don't. */
  get remoteEndpoints(): Endpoints | null {
    return this.#transport.remoteEndpoints ?? null;
  }

  /** The state directory of the group, by its real path. */
  get directory(): string {
    return this.#local.paths.directory;
  }

  /** The latest transitions, oldest first; bounded. */
  history(): readonly NodeTransition[] {
    return this.#narrator.history();
  }

  /** Why it does what it does, as of now, and where it writes that down. */
  explain(): { readonly explanation: Explanation; readonly journal: JournalReport } {
    const explanation = explanationOf(
      { ...this.#loop.state, at: this.#clock.now() },
      this.settings,
    );
    return { explanation, journal: this.#journal.report() };
  }

  status(): NodeStatus {
    const report = reportOf({ ...this.#loop.state, at: this.#clock.now() }, this.settings);
    return {
      ...report,
      pid: process.pid,
      host: hostname(),
      startedAt: this.#startedAt,
      endpoints: this.#bus.endpoints,
      target: this.#options.target,
      workload: { ...this.#workload.describe(), restarts: report.restarts, health: report.health },
      lease: {
        kind: this.#lease.kind,
        guards: this.#lease.guards,
        seen: this.#keeper === null ? null : this.#lease.observe(),
      },
      transport: withPeers(this.#transport.counters(), this.#remote?.counters),
      takeover: predictionOf(report.takeover, this.#rehearsal),
      setup: this.#setup,
      activation: this.#activation,
      warning: report.warning ?? this.#ownWarning(),
    };
  }

  /** What the server of the lease shows of all machines. @throws as `viewOf` */
  seeStore(): Promise<StoreView> {
    return viewOf(this.#remote);
  }

  /**
   * Makes this node the primary: the present one hands over, or with `force` is fenced if it does not.
   * @throws FAILOVER_PROMOTION_FAILED, FAILOVER_REFUSED
   */
  async promote({ force = false }: { readonly force?: boolean } = {}): Promise<Takeover | null> {
    return (await this.orderPromotion({ force, answerEarly: false })).takeover;
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
    return accepted(await this.#loop.request(build));
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
    return accepted(await this.#loop.request(build)).detail;
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
    return accepted(await this.#loop.request(build));
  }

  /** A proxy forwards to this node in an epoch: a planned end waits for it. Tells how it stands. */
  attach({ proxy, epoch }: { readonly proxy: string; readonly epoch: number }): AttachAnswer {
    this.#loop.dispatch({ type: 'proxy-attached', proxy, epoch });
    return attachAnswerOf(this.#loop.state, this.settings);
  }

  /** Nothing is under way through that proxy any more. */
  drained({ proxy, epoch }: { readonly proxy: string; readonly epoch: number }): void {
    this.#loop.dispatch({ type: 'proxy-drained', proxy, epoch });
  }

  /** No promotion by itself in the whole group until it is resumed; survives every process. */
  async setPaused(paused: boolean, by: string): Promise<void> {
    await this.#lease.setPaused(paused, by);
    this.#loop.dispatch({ type: 'lease-observed', observation: this.#lease.observe() });
  }

  /** Disabled, this node follows the primary and claims nothing; what it holds it keeps. */
  setEnabled(enabled: boolean): void {
    this.#loop.dispatch({ type: 'enabled-changed', enabled });
  }

  /** Ends the node in order; `immediate` skips every grace. See `ended`. */
  stop(order: Partial<StopOrder> = {}): void {
    const { exitCode = 0, reason = 'told to stop', immediate = false } = order;
    if (immediate) this.#tidying.hurry();
    this.#loop.dispatch({
      type: 'stop-requested',
      order: { exitCode, reason, immediate },
      requestId: null,
    });
  }

  /**
   * Plays a promotion through in a directory of its own, so that the first real one is no slower, and
   * remembers how long that took: it is what `status` predicts.
   */
  async rehearse(): Promise<void> {
    const { settings, directory } = this;
    const look = (): void => {
      this.#fencing.look();
    };
    const { command, promoteCommand } = this.#options;
    const spawns = command.length > 0 || promoteCommand !== null;
    const record = this.#record();
    this.#rehearsal = await rehearse({ settings, record, directory, look, spawns });
  }

  /** Steps down, then lets the process be stopped (SIGTSTP). */
  suspend(): void {
    this.#suspension.ask();
  }

  /** It goes on (SIGCONT): what was asked for and has not happened yet does not happen. */
  withdrawSuspension(): void {
    this.#suspension.withdraw();
  }

  #removalWarning(): string | null {
    return removalWarning(this.#local.removal, monotonicNow());
  }

  #ownWarning(): string | null {
    return this.#awaited.warning ?? this.#removalWarning() ?? this.#namespaceWarning();
  }

  #namespaceWarning(): string | null {
    return namespaceWarning(this.#local.nodesOutOfSight());
  }

  #begin(): void {
    this.#loop.start();
    const elsewhere = this.#namespaceWarning();
    if (elsewhere !== null) this.#warn(elsewhere);
    if (!this.#warnsOfOrphans) return;
    this.#warn(
      'setpriv is not available: an orphaned workload gets no signal when this process dies',
    );
  }

  /** A server that refuses this node ends it before it has begun. */
  async #begun(connected: Promise<void>): Promise<void> {
    try {
      await connected;
    } catch (error) {
      await closeUnbegun(this.#open());
      throw error;
    }
  }

  #record(): ReturnType<typeof nodeRecordOf> {
    return nodeRecordOf({
      settings: this.settings,
      group: this.#options.group,
      endpoints: this.#transport.endpoints,
      startedAt: this.#startedAt,
      target: this.#options.target,
    });
  }

  #openBus(): Bus {
    const { nodeId, run, version } = this.settings;
    return this.#transport.openGroup({
      group: this.#options.group,
      nodeId,
      run,
      version,
      startedAt: this.#startedAt,
      target: this.#options.target,
      describe: () => {
        const { epoch, role } = reportOf(this.#loop.state, this.settings);
        return { epoch, role };
      },
      onEvent: (event) => {
        this.#loop.dispatch(event);
      },
      onRequest: (method, params) => serve(this, method, params),
    });
  }

  #moveTo(endpoints: Endpoints): void {
    this.#local.updateEndpoints(endpoints);
    // With addresses for other machines those are what the store names, and they stay.
    if (this.remoteEndpoints === null) this.#remote?.updateEndpoints(endpoints);
  }

  #workloadParts(): WorkloadParts {
    return {
      lock: this.#local.workloadLock,
      announce: (endpoints) => {
        this.#local.updateEndpoints(endpoints);
      },
      warn: this.#warn,
    };
  }

  #context(): NodeContext {
    return {
      options: this.#options,
      settings: this.settings,
      local: this.#local,
      lease: this.#lease,
      keeper: this.#keeper,
      dispatch: (event) => {
        this.#loop.dispatch(event);
      },
      warn: this.#warn,
    };
  }

  #createLoop(): NodeLoop {
    return new NodeLoop({
      settings: this.settings,
      ports: {
        lease: this.#lease,
        fencing:
          this.#keeper === null ? this.#fencing : new RemoteFencing(this.#lease, this.#fencing),
        workload: this.#workload,
        bus: this.#bus,
        health: this.#health,
        guard: this.#keeper,
      },
      clock: this.#clock,
      seed: Number.parseInt(this.settings.run.slice(0, 8), 16),
      hooks: {
        onStep: (step) => {
          const { event, state } = step;
          if (event.type === 'workload-activated' && 'epoch' in state) {
            this.#activation = { epoch: state.epoch, atMs: event.at };
          }
          this.#narrator.tell(step);
          this.#awaited.after(step.event);
          this.#renewal.after(step);
          this.#journal.note(step);
        },
        onRefusal: (event, error) => {
          this.#journal.noteRefusal(this.#loop.state, event, messageOf(error));
        },
        onExit: (order) => void this.#close(order),
        onSuspend: () => {
          this.#suspension.carryOut();
        },
        onReport: (what, error) => {
          this.#warn(`could not ${what}: ${messageOf(error)}`);
        },
        onFatal: (error) => void this.#abort(error),
      },
    });
  }

  readonly #warn = (message: string): void => {
    this.#narrator.warn(message);
  };

  async #close(order: StopOrder): Promise<void> {
    await closeInOrder(this.#open(), order);
    await this.#closeTransport();
    this.emit('exit', order);
    this.#resolveEnded(order);
  }

  #open(): OpenParts {
    return {
      loop: this.#loop,
      upkeep: this.#upkeep,
      tidying: this.#tidying,
      health: this.#health,
      lease: this.#lease,
      journal: this.#journal,
      bus: this.#bus,
      warn: this.#warn,
    };
  }

  /** The core refused to go on: whatever runs ends now, and only then the lease is given back. */
  async #abort(error: unknown): Promise<void> {
    this.#warn(`internal error, ending at once: ${messageOf(error)}`);
    try {
      await this.#workload.stop(0);
    } finally {
      await this.#close({ exitCode: 1, reason: messageOf(error), immediate: true });
    }
  }
}
