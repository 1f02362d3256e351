// The server of the lease, where one was named: whether it answers, how fast, by which clock, and as what.
import { isOnServer } from '../../../config/lease-url.ts';
import { humanMs } from '../../../core/duration-text.ts';
import { FailoverError } from '../../../errors.ts';
import { monotonicNow } from '../../../runtime/clock.ts';
import { openStore } from '../../store-sight.ts';
import { NotTried, ok, warning } from '../check.ts';
import type { Check, Finding } from '../check.ts';
import type { Place } from '../place.ts';
import type { StoreFacts } from '../stores/store-facts.ts';

export const STORE_CHECKS: readonly Check[] = [
  {
    id: 'store',
    question: 'Does the lease server answer, and fast enough?',
    appliesTo: ({ lease }) => isOnServer(lease),
    run: askStore,
  },
  {
    id: 'store-clock',
    question: "Is its wall clock close to this machine's? (Events use the server's time.)",
    appliesTo: ({ lease }) => lease.kind === 'redis' || lease.kind === 'postgres',
    run: async (place) => judgeClock((await known(place))?.aheadMs ?? 0),
  },
  {
    id: 'store-settings',
    question: 'Is it configured to keep a lease?',
    appliesTo: ({ lease }) => isOnServer(lease) && lease.kind !== 'timed-file',
    run: async (place) => (await known(place))?.settings ?? ok('Nothing to configure'),
  },
];

/** As a node of the group looks at it, which shows that this user may. */
async function askStore(place: Place): Promise<Finding> {
  const { lease, leaseText, group } = place;
  const store = await openStore({ group, stateDir: place.stateDir, lease: leaseText });
  const facts = factsOf(place);
  // Told below; the look may fail first.
  facts.catch(() => undefined);
  try {
    const askedMs = monotonicNow();
    await store?.look();
    const lookMs = monotonicNow() - askedMs;
    const told = await facts;
    const name = told === null ? lease.shown : `${told.version} at ${lease.shown}`;
    return judgeRoundTrip(name, told?.roundTripMs ?? lookMs);
  } finally {
    await store?.close();
  }
}

/** Exported for its tests. */
export function judgeRoundTrip(name: string, roundTripMs: number): Finding {
  const fact = `${name} answers in ${humanMs(roundTripMs)}`;
  if (roundTripMs <= SLOW_MS) return ok(fact);
  return warning(fact, 'Raise --lease-ttl and --lease-request-timeout, or use a closer server.');
}

/** A quarter of what one request may take by default. */
const SLOW_MS = 125;

/** Exported for its tests. */
export function judgeClock(aheadMs: number): Finding {
  const way = aheadMs < 0 ? 'behind' : 'ahead of';
  const fact = `Its wall clock is ${humanMs(Math.abs(aheadMs))} ${way} this machine's`;
  if (Math.abs(aheadMs) < APART_MS) return ok(fact);
  return warning(fact, 'Synchronize the clocks of both, so that times of events can be compared.');
}

const APART_MS = 1_000;

/** For what can't be said where the server has not answered: that is said once. */
async function known(place: Place): Promise<StoreFacts | null> {
  return factsOf(place).catch((error: unknown) => {
    if (!(error instanceof FailoverError)) throw error;
    throw new NotTried('the server could not be asked', 'store');
  });
}

/** One connection for all that ask; null: there is nothing that could be asked. */
function factsOf(place: Place): Promise<StoreFacts | null> {
  const known = asked.get(place);
  if (known !== undefined) return known;
  const facts = readFacts(place);
  asked.set(place, facts);
  return facts;
}

const asked = new WeakMap<Place, Promise<StoreFacts | null>>();

async function readFacts({ lease, group, limitMs }: Place): Promise<StoreFacts | null> {
  // Told as what it is before the time for all of it is over.
  const patienceMs = limitMs * PATIENCE;
  switch (lease.kind) {
    case 'redis': {
      const { redisFacts } = await import('../stores/redis.ts');
      return redisFacts(lease, group, patienceMs);
    }
    case 'etcd': {
      const { etcdFacts } = await import('../stores/etcd.ts');
      return etcdFacts(lease, group, patienceMs);
    }
    case 'postgres': {
      const { postgresFacts } = await import('../stores/postgres.ts');
      return postgresFacts(lease, patienceMs);
    }
    default:
      return null;
  }
}

const PATIENCE = 0.8;
