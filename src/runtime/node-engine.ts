// One node of one group, put together: the core's loop and the adapters it acts through.
import { randomBytes } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import { parseBind } from '../config/bind.ts';
import type { RunOptions } from '../config/load.ts';
import type { EventBody } from '../core/event.ts';
import { reportOf } from '../core/report.ts';
import type { Endpoints, StopOrder } from '../core/state.ts';
import type { Settings } from '../core/settings.ts';
import { messageOf } from '../error-message.ts';
import { askTogether } from '../fence/answers.ts';
import type { ProcessFencing } from '../fence/fence.ts';
import { RemoteFencing } from '../fence/remote-fencing.ts';
import { describeProcess } from '../fence/process-view.ts';
import type { GuardKeeper } from '../guard/keeper.ts';
import type { FailoverError } from '../errors.ts';
import type { LocalGroup } from '../lease/file/local-group.ts';
import type { LeaseStore } from '../lease/lease-store.ts';
import type { RemoteStore } from '../lease/remote-store.ts';
import type { Reach } from '../transport/broadcast.ts';
import type { GroupOptions } from '../transport/group-bus.ts';
import { pingThrough } from '../transport/node-transport.ts';
import type { NodeTransport } from '../transport/node-transport.ts';
import { packageVersion } from '../version.ts';
import type { NodeJournal } from '../journal/node-journal.ts';
import { AwaitedHolders } from './awaited-holders.ts';
import { monotonicNow } from './clock.ts';
import { closeInOrder, closeUnbegun, endCommand } from './closing.ts';
import type { OpenParts } from './closing.ts';
import { Narrator } from './narrator.ts';
import type { NodeEvents } from './narrator.ts';
import { NodeLoop } from './node.ts';
import { sparesOrphans } from './node-extras.ts';
import type { FailoverNodeExtras, WorkloadParts } from './node-extras.ts';
import type { OpenNodeLease } from './node-lease.ts';
import {
  buildFencing,
  buildHealthChecks,
  buildJournal,
  buildWorkload,
  nodeRecordOf,
} from './node-parts.ts';
import type { NodeContext } from './node-parts.ts';
import { namespaceWarning, removalWarning } from './node-status.ts';
import type { Activation } from './node-status.ts';
import { refuseAborted } from './on-abort.ts';
import { peerTroubles } from './peer-counts.ts';
import type { Bus, Clock, HealthChecks, NodeWorkload } from './ports.ts';
import { settingsOf } from './settings-of.ts';
import { StandbyRenewal } from './standby-renewal.ts';
import { Suspension } from './suspension.ts';
import { Tidying } from './tidying.ts';
import { Upkeep } from './upkeep.ts';

/** What a node is put together from. */
export interface NodeParts {
  readonly options: RunOptions;
  readonly extras: FailoverNodeExtras;
  readonly transport: NodeTransport;
  /** Closes the sockets, if they are this node's own. */
  readonly closeTransport: () => Promise<void>;
  readonly deathSignal: boolean;
  readonly openLease: OpenNodeLease;
}

/** Whose node it is: what it is asked is answered there, and what it has to say is said there. */
export interface NodeFace {
  readonly events: EventEmitter<NodeEvents>;
  readonly onRequest: GroupOptions['onRequest'];
  /** Everything is closed. */
  readonly onClosed: (order: StopOrder) => void;
}

/** Everything of a node but what others may ask of it. */
export class NodeEngine {
  readonly settings: Settings;
  readonly options: RunOptions;
  readonly startedAt: string = new Date().toISOString();
  readonly transport: NodeTransport;
  readonly local: LocalGroup;
  readonly lease: LeaseStore;
  readonly remote: RemoteStore | null;
  readonly clock: Clock;
  readonly keeper: GuardKeeper | null;
  readonly workload: NodeWorkload;
  readonly fencing: ProcessFencing;
  readonly tidying: Tidying;
  readonly bus: Bus;
  readonly loop: NodeLoop;
  readonly narrator: Narrator;
  readonly suspension: Suspension;
  readonly journal: NodeJournal;
  readonly #face: NodeFace;
  readonly #onStep: FailoverNodeExtras['onStep'];
  readonly #warnsOfOrphans: boolean;
  readonly #extras: Pick<
    FailoverNodeExtras,
    'hasOwnSettings' | 'many' | 'output' | 'sharesProcess' | 'signal'
  >;
  #isBroken = false;
  readonly #closeTransport: () => Promise<void>;
  readonly #connect: () => Promise<void>;
  readonly #health: HealthChecks;
  readonly #upkeep: Upkeep;
  readonly #awaited = new AwaitedHolders({
    describe: describeProcess,
    warn: (warning) => {
      this.warn(warning);
    },
  });
  readonly #renewal: StandbyRenewal;
  #activation: Activation | null = null;
  #idTaken: FailoverError | null = null;

  constructor(nodeId: string, parts: NodeParts, face: NodeFace) {
    const { options, extras, transport } = parts;
    this.#face = face;
    this.#onStep = extras.onStep;
    this.#extras = extras;
    this.narrator = new Narrator(face.events);
    const run = randomBytes(6).toString('hex');
    this.options = options;
    this.#warnsOfOrphans = !(parts.deathSignal || sparesOrphans(options, extras));
    this.transport = transport;
    this.#closeTransport = parts.closeTransport;
    this.settings = settingsOf(options, { nodeId, run, version: packageVersion() });
    const opened = parts.openLease({
      settings: this.settings,
      record: this.record(),
      remoteEndpoints: transport.remoteEndpoints ?? null,
      deathSignal: parts.deathSignal,
      onGuardLost: (cause) => {
        this.dispatch({ type: 'lease-lost', cause, withinMs: 0 });
      },
      warn: this.warn,
      turn: extras.many?.leaseTurn,
      onIdWait: (fact) => {
        const signals = [extras.onIdWait?.(fact), extras.signal];
        return AbortSignal.any(signals.filter((signal) => signal !== undefined));
      },
      onIdTaken: (error) => {
        this.#idTaken = error;
        const order = { exitCode: error.exitCode, reason: error.message, immediate: false };
        this.dispatch({ type: 'stop-requested', order, requestId: null });
      },
    });
    ({ local: this.local, lease: this.lease, remote: this.remote } = opened);
    this.clock = extras.many?.wakes.over(opened.clock) ?? opened.clock;
    this.keeper = opened.keeper;
    this.#connect = () => this.#begun(opened.begin());
    try {
      const bus = this.#openBus();
      this.bus = extras.wrapBus?.(bus) ?? bus;
    } catch (error) {
      // The node holds nothing yet: closing it only forgets the record, and what failed first is what counts.
      this.lease.close().catch(() => undefined);
      throw error;
    }
    this.fencing = buildFencing(this.#context(), () => this.workload);
    this.workload =
      extras.createWorkload?.(this.#workloadParts()) ??
      buildWorkload(this.#context(), () => this.fencing, parts.deathSignal);
    this.#health = buildHealthChecks(this.#context(), () => this.loop.state, parts.deathSignal);
    this.tidying = new Tidying(this.#context());
    this.journal = buildJournal(this.record(), {
      settings: this.settings,
      paths: this.local.paths,
      phase: () => this.loop.state.phase,
      many: extras.many ?? null,
    });
    this.#renewal = new StandbyRenewal({
      workload: () => this.workload,
      stopGraceMs: this.settings.stopGraceMs,
      state: () => this.loop.state,
      dispatch: this.dispatch,
      warn: this.warn,
    });
    this.suspension = new Suspension({
      stopProcess: extras.suspend ?? null,
      state: () => this.loop.state,
      dispatch: this.dispatch,
      flush: () => this.journal.flush(),
    });
    this.loop = this.#createLoop();
    this.lease.watch(() => {
      this.dispatch({ type: 'lease-changed' });
    });
    this.#upkeep = new Upkeep({
      intervalMs: extras.upkeepIntervalMs,
      transport,
      role: () => this.loop.state.role,
      updateEndpoints: (endpoints) => {
        this.#moveTo(endpoints);
      },
      tidy: () => {
        void this.tidying.tidy();
      },
      removedAtMs: () => this.local.removal?.atMs ?? null,
      removalWarning: () => this.#removalWarning(),
      look: () => {
        this.fencing.look();
      },
      forgetEmptySessions: () => this.workload.forgetEmptySessions(),
      troubles: () => peerTroubles(this.remote?.counters),
      warn: this.warn,
    });
  }

  /** When its workload was last told to be active; null: never. */
  get activation(): Activation | null {
    return this.#activation;
  }

  /** Why it had to end: another has its id; null: none is known to. */
  get idTaken(): FailoverError | null {
    return this.#idTaken;
  }

  /** Whether it ends, or has ended, for an error of its own. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Where other machines reach this node; null: they don't. */
  get remoteEndpoints(): Endpoints | null {
    return this.transport.remoteEndpoints ?? null;
  }

  /** What is wrong here that the core knows nothing of; null: nothing is. */
  get ownWarning(): string | null {
    return this.#awaited.warning ?? this.#removalWarning() ?? this.#namespaceWarning();
  }

  /** Begins to take part. */
  begin(): void {
    this.loop.start();
    try {
      const elsewhere = this.#namespaceWarning();
      if (elsewhere !== null) this.warn(elsewhere);
    } catch (error) {
      // Nobody waits for this turn of the loop: what it throws would end the process, and all other groups in it.
      this.warn(`records of other nodes could not be read: ${messageOf(error)}`);
    }
    if (!this.#warnsOfOrphans) return;
    this.warn(
      'setpriv is not available: an orphaned workload gets no signal when this process dies',
    );
  }

  /** Resolves when it may take part. @throws what its server refuses it for: nothing is left open then */
  connect(): Promise<void> {
    return this.#connect();
  }

  /** What it says of itself in its directory and in the store. */
  record(): ReturnType<typeof nodeRecordOf> {
    return nodeRecordOf({
      settings: this.settings,
      group: this.options.group,
      endpoints: this.transport.endpoints,
      startedAt: this.startedAt,
      target: this.options.target,
      sharesProcess: this.#extras.sharesProcess === true,
    });
  }

  readonly dispatch = (event: EventBody): void => {
    this.loop.dispatch(event);
  };

  readonly warn = (message: string): void => {
    this.narrator.warn(message);
  };

  #removalWarning(): string | null {
    return removalWarning(this.local.removal, monotonicNow());
  }

  #namespaceWarning(): string | null {
    return namespaceWarning(this.local.nodesOutOfSight());
  }

  /** A server that refuses this node, or its own signal, ends it before it has begun. */
  async #begun(connected: Promise<void>): Promise<void> {
    try {
      // A wait that was ended by it fails with words of its own.
      await connected.finally(() => {
        refuseAborted(this.#extras.signal, 'start');
      });
    } catch (error) {
      await closeUnbegun(this.#open());
      throw error;
    }
  }

  #openBus(): Bus {
    const { nodeId, run, version } = this.settings;
    return this.transport.openGroup({
      group: this.options.group,
      nodeId,
      run,
      version,
      startedAt: this.startedAt,
      target: this.options.target,
      reach: this.#reach,
      describe: () => {
        const { epoch, role } = reportOf(this.loop.state, this.settings);
        return { epoch, role };
      },
      onEvent: this.dispatch,
      onRequest: this.#face.onRequest,
    });
  }

  /** Sockets that somebody gave it are his to say; those of several groups go by each group's own settings. */
  get #reach(): Reach {
    if (this.#extras.hasOwnSettings !== true) return 'machines';
    return parseBind(this.options.bind).kind === 'ipc' ? 'local' : 'machines';
  }

  #moveTo(endpoints: Endpoints): void {
    this.local.updateEndpoints(endpoints);
    // With addresses for other machines those are what the store names, and they stay.
    if (this.remoteEndpoints === null) this.remote?.updateEndpoints(endpoints);
  }

  #workloadParts(): WorkloadParts {
    return {
      lock: this.local.workloadLock,
      announce: (endpoints) => {
        this.local.updateEndpoints(endpoints);
      },
      warn: this.warn,
    };
  }

  #context(): NodeContext {
    return {
      options: this.options,
      settings: this.settings,
      local: this.local,
      lease: this.lease,
      keeper: this.keeper,
      asks: (process, address) =>
        askTogether({
          process,
          timeoutMs: this.settings.probeTimeoutMs,
          ping: (timeoutMs) =>
            pingThrough(this.transport, address(), { group: this.options.group, timeoutMs }),
        }),
      output: this.#extras.output ?? null,
      dispatch: this.dispatch,
      warn: this.warn,
    };
  }

  #createLoop(): NodeLoop {
    return new NodeLoop({
      settings: this.settings,
      ports: {
        lease: this.lease,
        fencing: this.keeper === null ? this.fencing : new RemoteFencing(this.lease, this.fencing),
        workload: this.workload,
        bus: this.bus,
        health: this.#health,
        guard: this.keeper,
      },
      clock: this.clock,
      seed: Number.parseInt(this.settings.run.slice(0, 8), 16),
      hooks: {
        onStep: (step) => {
          const { event, state } = step;
          if (event.type === 'workload-activated' && 'epoch' in state) {
            this.#activation = { epoch: state.epoch, atMs: event.at };
          }
          if (step.move !== null) this.#extras.many?.entered(this, state.phase);
          this.narrator.tell(step);
          this.#awaited.after(step.event);
          this.#renewal.after(step);
          this.journal.note(step);
          try {
            this.#onStep?.(step);
          } catch (error) {
            this.warn(`reporting a step failed: ${messageOf(error)}`);
          }
        },
        onRefusal: (event, error) => {
          this.journal.noteRefusal(this.loop.state, event, messageOf(error));
        },
        onExit: (order) => void this.#close(order),
        onSuspend: () => {
          this.suspension.carryOut();
        },
        onReport: (what, error) => {
          this.warn(`could not ${what}: ${messageOf(error)}`);
        },
        onFatal: (order) => void this.#abort(order),
      },
    });
  }

  /** Never rejects: nobody would hear of it, and it would end the process with all other groups in it. */
  async #close(order: StopOrder): Promise<void> {
    this.#extras.many?.left(this);
    // What one leaves open keeps the process, and with it the lease: the other is closed all the same.
    for (const close of [() => closeInOrder(this.#open(), order), this.#closeTransport]) {
      try {
        await close();
      } catch (error) {
        this.#isBroken = true;
        this.warn(`could not close everything: ${messageOf(error)}`);
      }
    }
    const { exitCode } = order;
    this.#face.onClosed({ ...order, exitCode: this.#isBroken && exitCode === 0 ? 1 : exitCode });
  }

  #open(): OpenParts {
    return {
      loop: this.loop,
      upkeep: this.#upkeep,
      tidying: this.tidying,
      health: this.#health,
      lease: this.lease,
      journal: this.journal,
      bus: this.bus,
      warn: this.warn,
    };
  }

  /** The core refused to go on: whatever runs ends now, and only then the lease is given back. */
  async #abort(order: StopOrder): Promise<void> {
    this.#isBroken = true;
    this.#extras.many?.left(this);
    this.warn(`internal error, exiting at once: ${order.reason}`);
    // Whoever starts here waits for what is left; only a lease that ends by itself has others to think of.
    const mayBeTaken = (): boolean => this.keeper === null || this.lease.verify().type === 'lost';
    try {
      await endCommand({ workload: this.workload, mayBeTaken, warn: this.warn });
    } catch (failure) {
      this.warn(`what is left of the command is not known: ${messageOf(failure)}`);
    }
    await this.#close(order);
  }
}
