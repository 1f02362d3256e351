// `failover run` as a service: what its manager is told, from the start to the end.
import type { FailoverNode } from '../runtime/failover-node.ts';
import type { NodeTransition } from '../runtime/narrator.ts';
import { TIMER_LIMIT_MS } from '../runtime/clock.ts';
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
 * Loads what it takes to reach a manager; where that is not to be had, the node runs all the same. Null: it is not
 * told, or there is none. Takes from the environment what names it.
 */
export async function openRunService(
  env: NodeJS.ProcessEnv,
  group: string,
  onProblem: (reason: string) => void,
): Promise<RunService | null> {
  const wanted = takeNotifyEnvironment(env);
  if (wanted === null) return null;
  const { socket, watchdogMs } = wanted;
  const tellOnce = (why: string): void => {
    onProblem(`The service manager at NOTIFY_SOCKET can not be told anything: ${why}`);
  };
  // Abstract addresses are of managers from before 2013.
  if (!socket.startsWith('/')) {
    tellOnce(`${socket} is not the path of a socket`);
    return null;
  }
  try {
    const { ServiceManager } = await import('../systemd/service-manager.ts');
    return new RunService(new ServiceManager(socket, tellOnce), group, watchdogMs);
  } catch (error) {
    const [why = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    tellOnce(`its binding can not be loaded (${why})`);
    return null;
  }
}
