// Ends every process of some sessions: TERM (with CONT), a grace, KILL; looked at anew at each step.
import { performance } from 'node:perf_hooks';
import { procIsUsable, readStat } from '../fence/process-identity.ts';
import type { SessionRecord } from '../lease/lease-store.ts';
import { livingMembers } from './living-members.ts';
import type { Member } from './living-members.ts';

/** How long after KILL a process may still be there before we stop waiting for it. */
const KILL_WAIT_MS = 2000;

const POLL_MIN_MS = 1;
const POLL_MAX_MS = 25;

/**
 * One ladder over some sessions. It starts at once, is bounded by its grace and two seconds, and never
 * rejects.
 */
export class Emptying {
  /** The pids that outlived KILL: in an uninterruptible wait, or not ours to signal. */
  readonly done: Promise<readonly number[]>;
  readonly #records: () => readonly SessionRecord[];
  readonly #termed = new Set<string>();
  #first: ReadonlySet<string> | null = null;
  #killAtMs: number;
  #wake: () => void = () => undefined;
  #failure: unknown = null;

  /** @param records Read at each look: a session that starts meanwhile is ended with the rest. */
  constructor(records: () => readonly SessionRecord[], graceMs: number) {
    this.#records = records;
    this.#killAtMs = performance.now() + graceMs;
    this.done = this.#run();
  }

  /**
   * Once it is done: what kept the last look from finding out who is there; null: it was found out. Nobody may have
   * been signalled then, as none is who was not looked at.
   */
  get failure(): unknown {
    return this.#failure;
  }

  /** Brings KILL forward; a longer grace than what is left changes nothing. */
  shorten(graceMs: number): void {
    const killAtMs = performance.now() + graceMs;
    if (killAtMs >= this.#killAtMs) return;
    this.#killAtMs = killAtMs;
    this.#wake();
  }

  /** Looks again at once: somebody saw a process end. */
  look(): void {
    this.#wake();
  }

  async #run(): Promise<readonly number[]> {
    let pollMs = POLL_MIN_MS;
    for (;;) {
      const nowMs = performance.now();
      const isOver = nowMs >= this.#killAtMs + KILL_WAIT_MS;
      try {
        const members = livingMembers(this.#records());
        this.#failure = null;
        if (members.length === 0) return [];
        if (isOver) return members.map((member) => member.pid);
        if (nowMs >= this.#killAtMs) for (const member of members) send(member, 'SIGKILL');
        else this.#terminate(members);
      } catch (error) {
        // Nothing was left to look with: nobody knows who is there, so all that are on record may be.
        this.#failure = error;
        if (isOver) return this.#records().map(({ process: { pid } }) => pid);
      }
      await this.#pause(nowMs < this.#killAtMs ? Math.min(pollMs, this.#killAtMs - nowMs) : pollMs);
      pollMs = Math.min(pollMs * 1.5, POLL_MAX_MS);
    }
  }

  /**
   * Asks each process once: a second TERM makes many programs skip their cleaning up. What the first
   * process of a session starts while it ends is its cleaning up, and is left alone as long as that lives.
   */
  #terminate(members: readonly Member[]): void {
    this.#first ??= new Set(members.map(keyOf));
    const leaders = new Set(members.filter((m) => m.pid === m.session).map(({ pid }) => pid));
    for (const member of members) {
      const key = keyOf(member);
      const isCleaningUp = !this.#first.has(key) && leaders.has(member.session);
      if (this.#termed.has(key) || isCleaningUp) continue;
      this.#termed.add(key);
      send(member, 'SIGTERM');
      // A stopped process takes TERM only when it goes on.
      send(member, 'SIGCONT');
    }
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function keyOf({ pid, startTime }: Member): string {
  return `${String(pid)}/${startTime}`;
}

/** Signals one process if it still is the one that was listed. */
function send(member: Member, signal: NodeJS.Signals): void {
  if (procIsUsable() && readStat(member.pid)?.startTime !== member.startTime) return;
  try {
    process.kill(member.pid, signal);
  } catch {
    // ESRCH: it ended. EPERM: it changed its user; what remains is reported by its pid.
  }
}
