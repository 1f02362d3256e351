// This process as a service: what its manager is told of any of them, from the start to the end.
import { quoted } from '../config/quoted.ts';
import { FailoverError } from '../errors.ts';
import { TIMER_LIMIT_MS } from '../runtime/clock.ts';
import { lackOfNotifier } from '../systemd/notifier.ts';
import { takeNotifyEnvironment } from '../systemd/notify-environment.ts';

/** How a manager is told; replaced by tests. */
export interface Manager {
  /** Whether it has been told. */
  tell(fields: Readonly<Record<string, string>>): Promise<boolean>;
}

/** What lives: it decides when its time has come, until it has ended. */
export interface Living {
  readonly isTurning: boolean;
  readonly ended: Promise<unknown>;
}

export class Service {
  readonly #manager: Manager;
  readonly #watchdogMs: number | null;
  #isStopping = false;

  constructor(manager: Manager, watchdogMs: number | null) {
    this.#manager = manager;
    this.#watchdogMs = watchdogMs;
  }

  tellStatus(status: string): void {
    void this.#manager.tell({ STATUS: status });
  }

  /** From here on it also says that it lives, where its manager wants to hear that. */
  tellReady(status: string, living: Living): void {
    void this.#manager.tell({ READY: '1', STATUS: status });
    const stopWatching = this.#watch(living);
    void living.ended.then(stopWatching);
  }

  /** That it ends is said once. */
  tellStop(status: string): void {
    const isFirst = !this.#isStopping;
    this.#isStopping = true;
    void this.#manager.tell({ ...(isFirst ? { STOPPING: '1' } : {}), STATUS: status });
  }

  /** Says that it lives only while its loop does: a process that turns in circles beside it is hung. */
  #watch(living: Living): () => void {
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
      const isTold = living.isTurning && (await this.#manager.tell({ WATCHDOG: '1' }));
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

/**
 * Loads what it takes to reach a manager. Null: nobody wants to be told. Takes from the environment what names it.
 *
 * @throws FAILOVER_USAGE where one that wants to be told can not be: it would end the process after a while, as it never
 *   hears that it is ready, and start it again, and so on
 */
export async function openService(
  env: NodeJS.ProcessEnv,
  onProblem: (reason: string) => void,
): Promise<Service | null> {
  const wanted = takeNotifyEnvironment(env);
  if (wanted === null) return null;
  const { socket, watchdogMs } = wanted;
  // Abstract addresses are of managers from before 2013, and the binding knows none.
  if (!socket.startsWith('/')) {
    throw new FailoverError(
      'FAILOVER_USAGE',
      `Cannot notify the service manager: NOTIFY_SOCKET is ${quoted(socket)}, not a socket path`,
      { hint: `${UNTOLD}.` },
    );
  }
  const lack = await lackOfNotifier();
  if (lack !== null) {
    throw new FailoverError(
      'FAILOVER_USAGE',
      `Cannot notify the service manager at NOTIFY_SOCKET: the native binding cannot be loaded (${lack})`,
      {
        hint: `Reinstall failover with its optional packages. ${UNTOLD} if that is not possible.`,
      },
    );
  }
  const { ServiceManager } = await import('../systemd/service-manager.ts');
  const manager = new ServiceManager(socket, (why) => {
    onProblem(`The service manager at NOTIFY_SOCKET cannot be notified: ${why}`);
  });
  return new Service(manager, watchdogMs);
}

/** What is to be done where it can not be had. */
const UNTOLD =
  'Use Type=exec without WatchdogSec= in its unit, or remove NOTIFY_SOCKET from its environment';
