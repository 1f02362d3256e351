// What the cases of a contract do with stores: claim until it is granted, wait until they are told.
import type { AcquireOutcome } from '../../../src/lease/lease-store.ts';
import type { RemoteStore } from '../../../src/lease/remote-store.ts';
import { monotonicNow } from '../../../src/runtime/clock.ts';
import type { StoreUnderTest } from './stage.ts';

/** Nothing but patience, on a busy machine too; what has no answer in a test is waited for shorter. */
export const ANSWER_MS = 20_000;
export const IMPATIENT_MS = 100;

/** How long what has to come is waited for. */
const PATIENCE_MS = 60_000;

export interface ContractTimes {
  /** How often many claim at once, if `CONTRACT_ROUNDS` says nothing else. */
  readonly rounds: number;
  /** Ends while a test waits. */
  readonly shortTtlMs: number;
  /** Longer than a server takes to start. */
  readonly restartTtlMs: number;
  /** Nobody is told of anything but by looking; and what becomes of the server is tried without it. */
  readonly behindPooler?: boolean;
  /** False: there is nothing that is cut, and made anew. */
  readonly hasConnection?: boolean;
}

export const CONTRACT_TIMES: ContractTimes = {
  ...{ rounds: 200, shortTtlMs: 400, restartTtlMs: 2_500 },
};

/** So many as a person wants to wait for, or those of a store. */
export function roundsWanted(rounds: number): number {
  const given = Number(process.env['CONTRACT_ROUNDS'] ?? rounds);
  if (!Number.isInteger(given) || given < 1) throw new Error('CONTRACT_ROUNDS is a whole number');
  return given;
}

/** Has claimed and given back: its way to the server is open, and the epoch known. */
export async function ledOnce(store: RemoteStore): Promise<number> {
  const { epoch } = await granted(store);
  await eventually(() => store.release().then(() => true));
  return epoch;
}

/** What is done to it does no harm to the others, which may run meanwhile. */
export async function withOwnServer<T>(
  start: (trustedMs: number) => Promise<StoreUnderTest>,
  act: (own: Pick<StoreUnderTest, 'open' | 'restart'>) => Promise<T>,
): Promise<T> {
  const own = await start(0);
  const opened: RemoteStore[] = [];
  const open: StoreUnderTest['open'] = async (options) => {
    const store = await own.open(options);
    opened.push(store);
    return store;
  };
  try {
    return await act({ open, restart: () => own.restart() });
  } finally {
    await Promise.allSettled(opened.map((store) => store.close()));
    await own.stop();
  }
}

/**
 * A case that is one only where this machine is faster than a time to live; `act` says if it was. Else once more, with
 * twice the time.
 */
export async function inTime(
  ttlMs: number,
  act: (ttlMs: number) => Promise<boolean>,
): Promise<void> {
  for (const times of [1, 2, 4, 8]) if (await act(times * ttlMs)) return;
  throw new Error('This machine was too busy for it');
}

type Grant = Extract<AcquireOutcome, { type: 'granted' }>;

/** Claims until it is granted. */
export async function granted(store: RemoteStore, floor = 0): Promise<Grant> {
  const grants: Grant[] = [];
  await eventually(async () => {
    const outcome = await store.acquire(floor);
    if (outcome.type === 'granted') grants.push(outcome);
    return grants.length > 0;
  });
  const [grant] = grants;
  if (grant === undefined) throw new Error('it was not granted');
  return grant;
}

export function epochOf(outcome: AcquireOutcome): number | null {
  return outcome.type === 'granted' ? outcome.epoch : null;
}

/** What a store tells of, one after the other. */
export function watching(store: RemoteStore): { readonly next: () => Promise<void> } {
  let untold = 0;
  store.watch(() => {
    untold += 1;
  });
  return {
    next: async () => {
      await eventually(() => Promise.resolve(untold > 0));
      untold = 0;
    },
  };
}

/** A request that fails meanwhile is one that is tried again. */
export async function eventually(look: () => Promise<boolean>): Promise<void> {
  const untilMs = monotonicNow() + PATIENCE_MS;
  let last: unknown = null;
  while (monotonicNow() < untilMs) {
    try {
      if (await look()) return;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`Waited in vain: ${String(last)}`);
}
