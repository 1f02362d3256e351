// The sessions that this node has started and not yet seen empty, mirrored into the durable ledger.
import { noteSession } from '../fence/own-sessions.ts';
import type { SessionLedger, SessionRecord } from '../lease/lease-store.ts';

/**
 * Every change is durable when the call returns: what may run is always recorded first. An entry stays
 * until `drop`, which only the caller that saw the session empty may call.
 */
export class SessionBook {
  readonly #ledger: SessionLedger;
  readonly #entries = new Map<number, { record: SessionRecord; ended: boolean }>();

  constructor(ledger: SessionLedger) {
    this.#ledger = ledger;
  }

  /** Records a session. When the ledger can't be written it throws, and nothing was added. */
  add(record: SessionRecord): void {
    const { pid } = record.process;
    this.#entries.set(pid, { record, ended: false });
    noteSession(record);
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
    noteSession(entry.record);
    try {
      this.#write();
    } catch (error) {
      entry.record = before;
      throw error;
    }
  }

  /** Notes that the main process has ended; others of the session may live. Changes nothing in the ledger. */
  markEnded(pid: number): void {
    const entry = this.#entries.get(pid);
    if (entry === undefined || entry.ended) return;
    entry.ended = true;
    noteSession(entry.record);
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
