// One group of a process that runs several: its node, from before its start to after its end.
import type { RunOptions } from '../../config/load.ts';
import type { Role } from '../../core/state.ts';
import { messageOf } from '../../error-message.ts';
import { FailoverError } from '../../errors.ts';
import { FailoverNode } from '../../runtime/failover-node.ts';
import type { FailoverNodeExtras } from '../../runtime/node-extras.ts';
import { refuseFewDescriptors } from '../../transport/few-descriptors.ts';
import { commandWarnings } from '../../workload/warnings.ts';
import { leaseText } from '../commands/run.ts';
import { createLogger } from '../render/log.ts';
import type { Logger } from '../render/log.ts';
import type { RunProxy } from '../run-proxy.ts';
import type { NodeListener } from './http.ts';
import { PrefixedLines } from './prefixed.ts';

/** What all groups of the process have in common. */
export interface SharedParts {
  readonly transport: NonNullable<FailoverNodeExtras['transport']>;
  /** Whether the output of commands has the group before each line. */
  readonly prefix: boolean;
  readonly upkeepIntervalMs: number;
  readonly rehearse: NonNullable<FailoverNodeExtras['rehearse']>;
  /** Null: there are few of them. */
  readonly many: NonNullable<FailoverNodeExtras['many']> | null;
  /** What answers over HTTP; null: nothing does. */
  readonly listener: NodeListener | null;
}

export interface StopRequest {
  readonly reason: string;
  readonly immediate?: boolean;
}

/** How it ended: the code that `failover run` would have ended with. */
export interface GroupEnd {
  readonly exitCode: number;
  /** Only what ended in order is as somebody wants it. */
  readonly why: 'in order' | 'not started' | 'internal error';
}

const IN_ORDER: GroupEnd = { exitCode: 0, why: 'in order' };

export class GroupRun {
  readonly options: RunOptions;
  /** Resolves once everything of it is closed. Never rejects. */
  readonly ended: Promise<GroupEnd>;
  /** Resolves once it takes part, or has ended before. Never rejects. */
  readonly begun: Promise<void>;
  readonly #shared: SharedParts;
  readonly #idWait = new AbortController();
  readonly #output: { readonly stdout: PrefixedLines; readonly stderr: PrefixedLines } | null;
  #node: FailoverNode | null = null;
  #role: Role = 'secondary';
  #proxy: RunProxy | null = null;
  #stop: StopRequest | null = null;
  #hasBegun = false;
  #hasEnded = false;
  #tellBegun: () => void = () => undefined;

  /** @param turn when it may start: many at once would keep each other, and what runs already, waiting */
  constructor(
    options: RunOptions,
    shared: SharedParts,
    turn: <T>(work: () => Promise<T>) => Promise<T>,
  ) {
    this.options = options;
    this.#shared = shared;
    const { group } = options;
    this.#output = shared.prefix
      ? {
          stdout: new PrefixedLines(group, process.stdout),
          stderr: new PrefixedLines(group, process.stderr),
        }
      : null;
    this.begun = new Promise((resolve) => {
      this.#tellBegun = resolve;
    });
    this.ended = this.#run(turn);
  }

  /** Of its node, as told last; null: it does not take part. */
  get role(): Role | null {
    return this.#takesPart ? this.#role : null;
  }

  /** Whether its node decides when its time has come; null: it does not take part. */
  get isTurning(): boolean | null {
    return this.#takesPart ? (this.#node?.isTurning ?? null) : null;
  }

  /** One that closes decides nothing any more. */
  get #takesPart(): boolean {
    return this.#node !== null && !this.#hasEnded && this.#role !== 'stopped';
  }

  /** Whether it takes part, or did. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** In order; one that is immediate overtakes another. */
  stop(request: StopRequest): void {
    this.#stop = request;
    this.#idWait.abort();
    this.#node?.stop(request);
  }

  async #run(turn: <T>(work: () => Promise<T>) => Promise<T>): Promise<GroupEnd> {
    try {
      const node = await turn(() => this.#start());
      if (node === null) return IN_ORDER;
      this.#hasBegun = true;
      this.#tellBegun();
      return await this.#toEnd(node);
    } catch (error) {
      await this.#proxy?.end({ immediate: true });
      if (this.#stop !== null && this.#idWait.signal.aborted) return IN_ORDER;
      return this.#failed(error);
    } finally {
      this.#hasEnded = true;
      this.#tellBegun();
      this.#output?.stdout.end();
      this.#output?.stderr.end();
    }
  }

  /** Null: it was told to end before it began. */
  async #start(): Promise<FailoverNode | null> {
    if (this.#stop !== null) return null;
    // Asked for each: libzmq ends a process that can't take a connection, and all groups with it.
    refuseFewDescriptors();
    const { options } = this;
    const onStep = this.#shared.listener?.onStepOf(options.group);
    if (options.proxy !== null) {
      const { openRunProxy } = await import('../run-proxy.ts');
      this.#proxy = await openRunProxy(options, options.proxy);
    }
    const node = await FailoverNode.start(options, {
      transport: this.#shared.transport,
      ...{ hasOwnSettings: true, sharesProcess: true },
      upkeepIntervalMs: this.#shared.upkeepIntervalMs,
      rehearse: this.#shared.rehearse,
      ...(this.#shared.many === null ? {} : { many: this.#shared.many }),
      ...(this.#output === null ? {} : { output: this.#output }),
      ...(onStep === undefined ? {} : { onStep }),
      onIdWait: (fact) => {
        this.#logger(options.node ?? '').warn({ event: 'warning', reason: fact });
        return this.#idWait.signal;
      },
    });
    this.#node = node;
    this.#tell(node);
    // Told to end while it started.
    const request = this.#requested();
    if (request !== null) node.stop(request);
    return node;
  }

  #requested(): StopRequest | null {
    return this.#stop;
  }

  #tell(node: FailoverNode): void {
    const { group, logFormat } = this.options;
    const log = this.#logger(node.settings.nodeId);
    node.on('transition', ({ from, to, role, epoch, reason, takeover, time }) => {
      this.#role = role;
      // For people the line about the exit says it.
      if (to === 'stopped' && logFormat === 'pretty') return;
      log.info({ event: 'transition', from, to, role, epoch, reason, takeover, time });
    });
    node.on('warning', (reason) => {
      log.warn({ event: 'warning', reason });
    });
    const reason = `Joined group ${group} in ${node.directory}`;
    log.info({ event: 'joined', reason, ...{ role: 'secondary', pid: process.pid } });
    const lease = leaseText(this.options, node.settings);
    if (lease !== null) log.info({ event: 'lease', reason: lease });
    for (const warning of commandWarnings(this.options.command)) {
      log.warn({ event: 'warning', reason: warning });
    }
    void node.ended.then((order) => {
      const { exitCode } = order;
      const ended = `Exited with code ${String(exitCode)}: ${order.reason}`;
      log.info({ event: 'exit', exitCode, reason: ended });
    });
    this.#shared.listener?.onNode(group, node);
    // It says itself what it can't do.
    void this.#proxy?.follow();
  }

  async #toEnd(node: FailoverNode): Promise<GroupEnd> {
    const order = await node.ended;
    this.#shared.listener?.onNode(this.options.group, null);
    await this.#proxy?.end(order);
    const { exitCode } = order;
    if (node.isBroken) return { exitCode, why: 'internal error' };
    // It may be that of its own former run, whose end the server has not heard of: it is free after a while.
    return { exitCode, why: node.idTaken === null ? 'in order' : 'not started' };
  }

  /** It could not be started: the others go on. */
  #failed(error: unknown): GroupEnd {
    const failure = error instanceof FailoverError ? error : null;
    const fact = messageOf(error);
    const exitCode = failure?.exitCode ?? 1;
    const advice = failure === null ? '' : `. ${failure.hint}`;
    const log = this.#logger(this.options.node ?? '');
    log.error({ event: 'exit', exitCode, reason: `Not started: ${fact}${advice}` });
    return { exitCode, why: 'not started' };
  }

  #logger(node: string): Logger {
    const { group, logFormat: format, quiet } = this.options;
    return createLogger({ format, quiet, stream: process.stderr, node, group, showsGroup: true });
  }
}
