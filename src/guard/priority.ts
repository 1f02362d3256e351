// Which priority a guard has: the best that the system allows, while what it starts has the one that it was given.
import { readdirSync, writeFileSync } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';

/** The priorities of threads, where the system has such, or else of processes. */
export interface PrioritySystem {
  readonly get: () => number;
  /** @throws where it is not allowed */
  readonly set: (id: number, priority: number) => void;
  /** The one whose priority its children get. */
  readonly main: number;
  /** The other threads of this process. */
  readonly others: () => readonly number[];
  /** Where sessions share the CPU: what the own one counts among them. @throws as `set` */
  readonly setShare: (priority: number) => void;
}

/** What a user may be allowed of, the best first. */
const RANKS = [
  constants.priority.PRIORITY_HIGHEST,
  constants.priority.PRIORITY_HIGH,
  constants.priority.PRIORITY_ABOVE_NORMAL,
] as const;

/**
 * A process that has to end others in time needs the CPU before they have it. Where that is not allowed everything is
 * as it was.
 */
export class GuardPriority {
  readonly #system: PrioritySystem;
  readonly #given: number;
  #raised: number | null = null;

  constructor(system: PrioritySystem = SYSTEM) {
    this.#system = system;
    this.#given = system.get();
  }

  raise(): void {
    const { main, others, setShare } = this.#system;
    const rank = RANKS.find((each) => each < this.#given && this.#succeeds(main, each));
    if (rank === undefined) return;
    this.#raised = rank;
    // A thread that collects garbage for the main one would make that wait for it.
    for (const thread of others()) this.#succeeds(thread, rank);
    try {
      setShare(rank);
    } catch {
      // Sessions have no shares there, or it may not.
    }
  }

  /** Does what spawns a process, which gets the priority that this one was given: not even for a moment a better one. */
  asGiven<T>(spawn: () => T): T {
    if (this.#raised === null) return spawn();
    const { main } = this.#system;
    this.#succeeds(main, this.#given);
    try {
      return spawn();
    } finally {
      // Where it may not any more, it goes on as it was given.
      this.#succeeds(main, this.#raised);
    }
  }

  #succeeds(id: number, priority: number): boolean {
    try {
      this.#system.set(id, priority);
      return true;
    } catch {
      return false;
    }
  }
}

const SYSTEM: PrioritySystem = {
  get: () => getPriority(),
  set: setPriority,
  main: process.pid,
  others: () => {
    try {
      return readdirSync('/proc/self/task')
        .map(Number)
        .filter((thread) => thread !== process.pid);
    } catch {
      return [];
    }
  },
  setShare: (priority) => {
    writeFileSync('/proc/self/autogroup', String(priority));
  },
};

/** The priority of this process. */
export const ownPriority: GuardPriority = new GuardPriority();
