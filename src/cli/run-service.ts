// `failover run` as a service: what its manager is told, from the start to the end.
import { quoted } from '../config/quoted.ts';
import { FailoverError } from '../errors.ts';
import type { FailoverNode } from '../runtime/failover-node.ts';
import type { NodeTransition } from '../runtime/narrator.ts';
import { TIMER_LIMIT_MS } from '../runtime/clock.ts';
import { lackOfNotifier } from '../systemd/notifier.ts';
import { takeNotifyEnvironment } from '../systemd/notify-environment.ts';

/** What is looked at of a node. */
interface Told extends Pick<FailoverNode, 'isTurning' | 'ended'> {
  status(): Pick<ReturnType<FailoverNode['status']>, 'role' | 'phase' | 'epoch'>;
  on(event: 'transition', listener: (change: NodeTransition) => void): unknown;
}

/** How a manager is told; replaced by tests. */
export interface Manager {
  /** Whether it has been told. */
  tell(fields: Readonly<Record<string, string>>): Promise<boolean>;
}

export class RunService {
  readonly #manager: Manager;
  readonly #group: string;
  readonly #watchdogMs: number | null;
  #isStopping = false;

  constructor(manager: Manager, group: string, watchdogMs: number | null) {
    this.#manager = manager;
    this.#group = group;
    this.#watchdogMs = watchdogMs;
  }

  /** It may take long before it takes part. */
  waits(fact: string): void {
    void this.#manager.tell({ STATUS: fact });
  }

  /** It takes part: that is what ready means, whoever is primary. */
  serve(node: Told): void {
    const { role, phase, epoch } = node.status();
    void this.#manager.tell({ READY: '1', STATUS: this.#statusOf({ role, to: phase, epoch }) });
    node.on('transition', (change) => {
      const end = change.to === 'stopping' || change.to === 'stopped';
      void this.#manager.tell({
        ...(end ? this.#firstStop() : {}),
        STATUS: `${this.#statusOf(change)}: ${change.reason}`,
      });
    });
    const stopWatching = this.#watch(node);
    void node.ended.then(stopWatching);
  }

  /** Told to end: it takes as long as the command needs. */
  stops(reason: string): void {
    void this.#manager.tell({ ...this.#firstStop(), STATUS: reason });
  }

  #firstStop(): Readonly<Record<string, string>> {
    if (this.#isStopping) return {};
    this.#isStopping = true;
    return { STOPPING: '1' };
  }

  #statusOf(at: { readonly role: string; readonly to: string; readonly epoch: number }): string {
    const doing = STEADY.has(at.to) ? '' : ` (${at.to})`;
    return `${at.role} of group ${this.#group}${doing}, epoch ${String(at.epoch)}`;
  }

  /** Says that it lives only while its loop does: a process that turns in circles beside it is hung. */
  #watch(node: Told): () => void {
    const watchdogMs = this.#watchdogMs;
    if (watchdogMs === null) return () => undefined;
    const pauseMs = Math.min(Math.max(1, watchdogMs / BEATS), TIMER_LIMIT_MS);
    const soonMs = Math.min(SOON_MS, Math.max(1, watchdogMs / LOOKS));
    let timer: NodeJS.Timeout | null = null;
    let isOver = false;
    const beatIn = (delayMs: number): void => {
      if (isOver) return;
      timer = setTimeout(() => void beat(), delayMs).unref();
    };
    const beat = async (): Promise<void> => {
      const isTold = node.isTurning && (await this.#manager.tell({ WATCHDOG: '1' }));
      beatIn(isTold ? pauseMs : soonMs);
    };
    beatIn(pauseMs);
    return () => {
      isOver = true;
      if (timer !== null) clearTimeout(timer);
    };
  }
}

/** Signs of life in the time in which a manager wants one: a late timer, or one that is lost, costs no healthy node. */
const BEATS = 4;

/** One that could not be given is tried again so often in that time, and at least so often, ms. */
const LOOKS = 10;
const SOON_MS = 1_000;

/** What a role does as a rule. */
const STEADY: ReadonlySet<string> = new Set(['serving', 'watching', 'stopped']);

/**
 * Loads what it takes to reach a manager. Null: nobody wants to be told. Takes from the environment what names it.
 *
 * @throws FAILOVER_USAGE where one that wants to be told can not be: it would end the node after a while, as it never
 *   hears that it is ready, and start it again, and so on
 */
export async function openRunService(
  env: NodeJS.ProcessEnv,
  group: string,
  onProblem: (reason: string) => void,
): Promise<RunService | null> {
  const wanted = takeNotifyEnvironment(env);
  if (wanted === null) return null;
  const { socket, watchdogMs } = wanted;
  // Abstract addresses are of managers from before 2013, and the binding knows none.
  if (!socket.startsWith('/')) {
    throw new FailoverError(
      'FAILOVER_USAGE',
      `Cannot tell the service manager anything: NOTIFY_SOCKET is ${quoted(socket)}, not the path of a socket`,
      { hint: `${UNTOLD}.` },
    );
  }
  const lack = await lackOfNotifier();
  if (lack !== null) {
    throw new FailoverError(
      'FAILOVER_USAGE',
      `Cannot tell the service manager at NOTIFY_SOCKET anything: the binding for it can not be loaded (${lack})`,
      {
        hint: `Install failover again with its optional packages. ${UNTOLD} where that is not possible.`,
      },
    );
  }
  const { ServiceManager } = await import('../systemd/service-manager.ts');
  const manager = new ServiceManager(socket, (why) => {
    onProblem(`The service manager at NOTIFY_SOCKET can not be told anything: ${why}`);
  });
  return new RunService(manager, group, watchdogMs);
}

/** What is to be done where it can not be had. */
const UNTOLD =
  'Write Type=exec and no WatchdogSec= into its unit, or take NOTIFY_SOCKET out of its environment';
