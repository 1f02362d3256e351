// The sessions that this node has started and not yet seen empty, mirrored into the durable ledger.
import { noteSession, noteStarter } from '../fence/own-sessions.ts';
import type { Starter } from '../fence/started-by.ts';
import type { SessionLedger, SessionRecord } from '../lease/lease-store.ts';

/**
 * Every change is durable when the call returns: what may run is always recorded first. An entry stays
 * until `drop`, which only the caller that saw the session empty may call.
 */
export class SessionBook {
  readonly #ledger: SessionLedger;
  readonly #starter: Starter;
  readonly #entries = new Map<number, { record: SessionRecord; ended: boolean }>();

  /** @param starter by which the members of its sessions are known where nothing else tells */
  constructor(ledger: SessionLedger, starter: Starter) {
    this.#ledger = ledger;
    this.#starter = starter;
  }

  /** Records a session. When the ledger can't be written it throws, and nothing was added. */
  add(record: SessionRecord): void {
    const { pid } = record.process;
    this.#entries.set(pid, { record, ended: false });
    noteSession(record);
    noteStarter(record, this.#starter);
    try {
      this.#write();
    } catch (error) {
      this.#entries.delete(pid);
      throw error;
    }
  }

  setActive(pid: number, active: boolean): void {
    const entry = this.#entries.get(pid);
    if (entry === undefined) return;
    const before = entry.record;
    entry.record = { ...before, active };
    try {
      this.#write();
    } catch (error) {
      entry.record = before;
      throw error;
    }
  }

  /**
   * Its main process has ended; others of the session may live. Changes nothing in the ledger.
   *
   * @param atMs until then its number was nobody else's, on the clock of `monotonicNow`; null: nobody knows
   */
  markEnded(pid: number, atMs: number | null): void {
    const entry = this.#entries.get(pid);
    if (entry === undefined) return;
    entry.ended = true;
    if (atMs !== null) noteSession(entry.record, atMs);
  }

  /** Forgets sessions that were seen empty. A ledger that can't be written keeps them: harmless. */
  drop(pids: Iterable<number>): void {
    let changed = false;
    for (const pid of pids) changed = this.#entries.delete(pid) || changed;
    if (!changed) return;
    try {
      this.#write();
    } catch {
      // Recorded but empty is what every reader of the ledger checks for, and the next write repairs it.
    }
  }

  records(): readonly SessionRecord[] {
    return [...this.#entries.values()].map((entry) => entry.record);
  }

  /** The sessions whose main process has ended. */
  ended(): readonly SessionRecord[] {
    return [...this.#entries.values()].filter((entry) => entry.ended).map((entry) => entry.record);
  }

  #write(): void {
    this.#ledger.setSessions(this.records());
  }
}
