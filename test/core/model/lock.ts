// An exclusive lock with epochs: who holds it, and the record of the highest epoch, which may be an older holder's.
import type { LeaseHolder, LeaseObservation } from '../../../src/core/state.ts';

export class Lock {
  holder: string | null = null;
  epoch = 0;
  record: LeaseHolder | null = null;

  /** The next epoch above everything seen, with its record. */
  claim({
    node,
    run,
    floor,
  }: {
    readonly node: string;
    readonly run: string;
    readonly floor: number;
  }): number {
    this.epoch = Math.max(this.epoch, floor) + 1;
    this.record = { node, run, endpoints: { bus: run, rpc: run } };
    return this.epoch;
  }

  observe(paused: boolean): LeaseObservation {
    const { epoch, record } = this;
    const held = this.holder !== null;
    return { epoch, held, holder: record, recordUnreadable: false, touch: null, paused };
  }
}
