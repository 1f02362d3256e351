// The orders that a node can't go on without: the workload stopped, its completion recorded, the lease given back. They
// are given again until they succeed; the lease is kept as long as the end of the workload is not confirmed, or others
// would do what is completed once more, and not called free before it is proved to be.
import type { Effect } from './effect.ts';
import type { Event } from './event.ts';
import { ORDER_RETRY_MS } from './settings.ts';
import { answerDueAt, stopDueAt } from './deadlines.ts';

/** What is known of an order that has to succeed. */
export interface LastOrder {
  readonly step: 'stop' | 'complete' | 'release';
  /** When the order is given again: its answer is overdue, or the pause after a failure is over. */
  readonly until: number;
  /** Whether it was said that the order does not succeed. */
  readonly told: boolean;
  /** The workload is stopped to be started again. */
  readonly toRestart?: true;
}

interface Told {
  readonly order: Pick<LastOrder, 'until' | 'told'>;
  readonly warning: string | null;
  readonly effects: readonly Effect[];
}

/** What a failure, or time, means for the order; null: nothing. */
export function lastOrderEvent(
  order: LastOrder,
  event: Event,
  state: { readonly at: number; readonly epoch: number; readonly warning: string | null },
): Told | null {
  const { at } = state;
  const { step, until, told } = order;
  switch (event.type) {
    case 'workload-stop-failed': {
      if (step !== 'stop') return null;
      const warning = `the workload could not be stopped, so the lease is kept: ${event.message}`;
      return { order: { until: at + ORDER_RETRY_MS, told: true }, warning, effects: [] };
    }
    case 'lease-failed': {
      if (step === 'stop' || event.order !== step) return null;
      const warning = `${FAILURE_WARNING[step]}${event.message}`;
      return { order: { until: at + ORDER_RETRY_MS, told: true }, warning, effects: [] };
    }
    case 'time-passed':
      if (at < until) return null;
      return {
        order: { until: step === 'stop' ? stopDueAt(at, 0) : answerDueAt(at), told: true },
        warning: told ? state.warning : OVERDUE_WARNING[step],
        effects: [again(order, state.epoch)],
      };
    default:
      return null;
  }
}

function again({ step, toRestart }: LastOrder, epoch: number): Effect {
  switch (step) {
    case 'stop': {
      const stop: Effect = { type: 'stop-workload', graceMs: 0 };
      return toRestart ? { ...stop, toRestart } : stop;
    }
    case 'complete':
      return { type: 'mark-completed', epoch };
    case 'release':
      return { type: 'release-lease' };
  }
}

const FAILURE_WARNING: Readonly<Record<Exclude<LastOrder['step'], 'stop'>, string>> = {
  complete: 'the completion of the work could not be recorded, so the lease is kept: ',
  release: 'the lease could not be released: ',
};

const OVERDUE_WARNING: Readonly<Record<LastOrder['step'], string>> = {
  stop: 'the exit of the workload is not confirmed; the lease is kept until it is',
  complete: 'the record of the completion is not confirmed; the lease is kept until it is',
  release: 'the release of the lease is not confirmed; nothing is announced until it is',
};

/**
 * Of a lease that was given back and has another holder. The node has nothing to give back any more, and
 * goes on; it only does not say that the lease is free.
 */
export function notFreeWarning(heldBy: string): string {
  return `this node released the lease, but it is not free: primary.lock is held by ${heldBy}`;
}
