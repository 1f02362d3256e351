// The one place where an effect meets a port. Performs, and turns what it learns into an event.
import type { Effect, VerifyScope } from '../core/effect.ts';
import type { EventBody, HolderInspection, LeaseOrder } from '../core/event.ts';
import type { Settings } from '../core/settings.ts';
import type { LeaseObservation, Peer, StopOrder } from '../core/state.ts';
import type { RequestOutcome } from '../core/effect.ts';
import { messageOf } from '../error-message.ts';
import type { LeaseStore, VerifyOutcome } from '../lease/lease-store.ts';
import type { CheckAnswer } from '../core/health.ts';
import type { Bus, DeadlineGuard, Fencing, HealthChecks, Workload } from './ports.ts';
import { codeOf } from './failures.ts';
import type { OrderKind, Orders } from './orders.ts';

/** Everything one node acts on. */
export interface NodePorts {
  readonly lease: LeaseStore;
  readonly fencing: Fencing;
  readonly workload: Workload;
  readonly bus: Bus;
  readonly health: HealthChecks;
  /** The guard of the lease; null: it has no time to live, and no effect needs one. */
  readonly guard: DeadlineGuard | null;
}

/** What the loop offers to the effects: a way back, and the ends of the process. */
export interface EffectContext {
  readonly settings: Settings;
  readonly ports: NodePorts;
  readonly orders: Orders;
  readonly dispatch: (event: EventBody) => void;
  /** On this node's clock, ms. */
  readonly now: () => number;
  readonly answer: (requestId: string, outcome: RequestOutcome) => void;
  readonly suspend: () => void;
  readonly exit: (order: StopOrder) => void;
  /** A port failed where no event can say it; the node goes on. */
  readonly report: (what: string, error: unknown) => void;
}

export function perform(effect: Effect, context: EffectContext): void {
  const { ports } = context;
  switch (effect.type) {
    case 'acquire-lease':
      answered('lease', acquire(effect.floor, context), context);
      return;
    case 'prepare-claim':
      ports.lease.prepareClaim?.();
      return;
    case 'advance-epoch':
      void advanceEpoch(effect.floor, context);
      return;
    case 'verify-lease':
      verifyLease(context, effect.scope);
      return;
    case 'renew-lease':
      void renew(effect.timeoutMs, context);
      return;
    case 'extend-deadline':
      if (ports.guard === null) throw new Error('extend-deadline without a time to live');
      ports.guard.extend(effect.deadlineAt);
      return;
    case 'release-lease':
      answered('lease', release(context), context);
      return;
    case 'observe-lease':
      observe(context);
      return;
    case 'list-peers':
      void listPeers(context);
      return;
    case 'mark-completed':
      answered('lease', markCompleted(effect.epoch, context), context);
      return;
    case 'inspect-holder':
      void inspect(context);
      return;
    case 'fence-holder':
      answered('fence', fence(effect, context), context);
      return;
    case 'clear-leftovers':
      answered('clearing', clearLeftovers(effect, context), context);
      return;
    case 'follow':
      ports.bus.follow(effect.holder);
      return;
    case 'publish':
      ports.bus.publish(effect.announcement);
      return;
    case 'probe':
      void probe(effect, context);
      return;
    case 'request-demotion':
      answered('demotion-request', requestDemotion(effect, context), context);
      return;
    case 'arm-workload':
      answered('workload', workloadStep(ports.workload.arm(), { type: 'workload-armed' }), context);
      return;
    case 'activate-workload':
      if (!verifyLease(context)) return;
      answered(
        'workload',
        workloadStep(ports.workload.activate(effect), { type: 'workload-activated' }),
        context,
      );
      return;
    case 'deactivate-workload':
      answered(
        'workload',
        workloadStep(ports.workload.deactivate(), { type: 'workload-deactivated' }),
        context,
      );
      return;
    case 'stop-workload':
      answered('workload', stopWorkload(effect, context), context);
      return;
    case 'run-hook':
      if (!verifyLease(context)) return;
      answered('hook', runHook(effect, context), context);
      return;
    case 'check-health':
      void checkHealth(effect, context);
      return;
    case 'answer':
      context.answer(effect.requestId, effect.outcome);
      return;
    case 'suspend-process':
      context.suspend();
      return;
    case 'exit':
      context.exit(effect.order);
      return;
  }
}

/**
 * Looks at the lease, and tells of its loss as `lease-lost`.
 *
 * @returns whether it is held: what its holder alone may do is not begun otherwise
 */
function verifyLease({ ports, dispatch }: EffectContext, scope: VerifyScope = 'all'): boolean {
  const outcome = verify(ports.lease, scope);
  if (outcome.type === 'lost') dispatch({ type: 'lease-lost', cause: outcome.cause, withinMs: 0 });
  return outcome.type === 'held';
}

/** What can't be looked at is not known to be held. */
function verify(lease: LeaseStore, scope: VerifyScope): VerifyOutcome {
  try {
    return lease.verify(scope);
  } catch (error) {
    return { type: 'lost', cause: `it could not be inspected: ${messageOf(error)}` };
  }
}

/** Hands on what became of an order, unless another of its kind was given meanwhile. */
function answered(
  kind: OrderKind,
  answer: Promise<EventBody>,
  { orders, dispatch }: EffectContext,
): void {
  const isNewest = orders.begin(kind);
  void answer.then((event) => {
    if (isNewest()) dispatch(event);
  });
}

async function acquire(floor: number, { ports }: EffectContext): Promise<EventBody> {
  try {
    const outcome = await ports.lease.acquire(floor);
    if (outcome.type === 'granted') {
      const { epoch, previous, granted } = outcome;
      return { type: 'lease-granted', epoch, previous, granted };
    }
    const { cause, waitsFor, observation } = outcome;
    return { type: 'lease-denied', cause, waitsFor, observation };
  } catch (error) {
    return leaseFailed('acquire', error);
  }
}

/** An epoch that was claimed is taken whenever it is told of; a failure is that of its own order only. */
async function advanceEpoch(
  floor: number,
  { ports, orders, dispatch }: EffectContext,
): Promise<void> {
  const isNewest = orders.begin('lease');
  try {
    const epoch = await ports.lease.advanceEpoch(floor);
    dispatch({ type: 'epoch-advanced', epoch });
  } catch (error) {
    if (!isNewest()) return;
    const lost = codeOf(error) === 'FAILOVER_LEASE_LOST';
    dispatch(
      lost
        ? { type: 'lease-lost', cause: messageOf(error), withinMs: 0 }
        : leaseFailed('advance', error),
    );
  }
}

/** Not numbered: each answer counts from its own request on, and the store knows whose it is. */
async function renew(timeoutMs: number, { ports, dispatch }: EffectContext): Promise<void> {
  try {
    const outcome = await ports.lease.renew(timeoutMs);
    if (outcome.type === 'over') return;
    dispatch(
      outcome.type === 'lost'
        ? { type: 'lease-lost', cause: outcome.cause, withinMs: 0 }
        : { type: 'lease-renewed', askedAt: outcome.askedAt, ttlMs: outcome.ttlMs },
    );
  } catch (error) {
    dispatch(leaseFailed('renew', error));
  }
}

async function markCompleted(epoch: number, { ports }: EffectContext): Promise<EventBody> {
  try {
    await ports.lease.markCompleted(epoch);
    return { type: 'completion-recorded' };
  } catch (error) {
    return leaseFailed('complete', error);
  }
}

async function release({ ports }: EffectContext): Promise<EventBody> {
  try {
    const { heldBy } = await ports.lease.release();
    return { type: 'lease-released', heldBy };
  } catch (error) {
    return leaseFailed('release', error);
  }
}

/** Not numbered: a look is true of its time, and one that takes long must not be put off by the next. */
async function inspect({ ports, dispatch, report, now }: EffectContext): Promise<void> {
  const askedAt = now();
  let inspection: HolderInspection;
  try {
    inspection = await ports.fencing.inspect();
  } catch (error) {
    report('inspect the lease holder', error);
    return;
  }
  dispatch({ type: 'holder-inspected', inspection, askedAt });
}

async function fence(
  target: Extract<Effect, { type: 'fence-holder' }>,
  { ports }: EffectContext,
): Promise<EventBody> {
  try {
    const { outcome, detail } = await ports.fencing.fence(target);
    return { type: 'fence-finished', outcome, detail };
  } catch (error) {
    return { type: 'fence-finished', outcome: 'not-released', detail: messageOf(error) };
  }
}

async function clearLeftovers(
  limits: Extract<Effect, { type: 'clear-leftovers' }>,
  { ports }: EffectContext,
): Promise<EventBody> {
  try {
    const result = await ports.fencing.clearLeftovers(limits);
    return result.type === 'cleared'
      ? { type: 'leftovers-cleared', ended: result.ended }
      : { type: 'leftovers-remain', detail: result.detail };
  } catch (error) {
    return { type: 'leftovers-remain', detail: messageOf(error) };
  }
}

async function requestDemotion(
  request: Extract<Effect, { type: 'request-demotion' }>,
  { ports }: EffectContext,
): Promise<EventBody> {
  try {
    const { accepted, detail } = await ports.bus.requestDemotion(request);
    return { type: 'demotion-answered', accepted, detail };
  } catch (error) {
    return { type: 'demotion-answered', accepted: false, detail: messageOf(error) };
  }
}

async function stopWorkload(
  { graceMs, toRestart }: Extract<Effect, { type: 'stop-workload' }>,
  { ports }: EffectContext,
): Promise<EventBody> {
  try {
    await ports.workload.stop(graceMs, { toRestart: toRestart === true });
    return { type: 'workload-stopped' };
  } catch (error) {
    return { type: 'workload-stop-failed', message: messageOf(error) };
  }
}

async function workloadStep(step: Promise<void>, done: EventBody): Promise<EventBody> {
  try {
    await step;
    return done;
  } catch (error) {
    return { type: 'workload-failed', code: codeOf(error), message: messageOf(error) };
  }
}

async function runHook(
  effect: Extract<Effect, { type: 'run-hook' }>,
  { ports }: EffectContext,
): Promise<EventBody> {
  const { hook, timeoutMs } = effect;
  try {
    const { ok, detail } = await ports.workload.runHook(hook, effect, timeoutMs);
    return { type: 'hook-finished', hook, ok, detail };
  } catch (error) {
    return { type: 'hook-finished', hook, ok: false, detail: messageOf(error) };
  }
}

/** What a file shows is told at once: nothing else comes between the look and its answer. */
function observe({ ports, dispatch, now }: EffectContext): void {
  const askedAt = now();
  try {
    const seen = ports.lease.look();
    if (seen instanceof Promise) void observed(seen, askedAt).then(dispatch);
    else dispatch({ type: 'lease-observed', observation: seen });
  } catch (error) {
    dispatch(leaseFailed('observe', error));
  }
}

/** Lists the nodes on record. Those that cannot be listed are not waited for. */
async function listPeers({ ports, dispatch, report }: EffectContext): Promise<void> {
  let peers: readonly Peer[] = [];
  try {
    peers = await ports.lease.listPeers();
  } catch (error) {
    report('list the other nodes', error);
  }
  dispatch({ type: 'peers-listed', peers });
}

async function observed(answer: Promise<LeaseObservation>, askedAt: number): Promise<EventBody> {
  try {
    return { type: 'lease-observed', observation: await answer, askedAt };
  } catch (error) {
    return leaseFailed('observe', error);
  }
}

async function probe(
  effect: Extract<Effect, { type: 'probe' }>,
  { ports, settings, dispatch }: EffectContext,
): Promise<void> {
  const { health } = effect;
  const standby = {
    ...(health === undefined ? {} : { health }),
    node: settings.nodeId,
    run: settings.run,
    willing: effect.willing,
    priority: settings.priority,
    standby: settings.standby,
    version: settings.version,
    standingByMs: effect.standingByMs,
  };
  try {
    const report = await ports.bus.probe({ timeoutMs: effect.timeoutMs, standby });
    dispatch({ type: 'probe-answered', probe: effect.probe, ...report });
  } catch (error) {
    dispatch({ type: 'probe-failed', probe: effect.probe, cause: messageOf(error) });
  }
}

/** Not by the kind of order: the core knows by its number which answer it still waits for. */
async function checkHealth(
  { number, subject, timeoutMs }: Extract<Effect, { type: 'check-health' }>,
  { ports, dispatch }: EffectContext,
): Promise<void> {
  let answer: CheckAnswer;
  try {
    answer = await ports.health.check(subject, timeoutMs);
  } catch (error) {
    answer = { outcome: 'failed', detail: messageOf(error), cpuPressure: null };
  }
  dispatch({ type: 'health-checked', number, ...answer });
}

function leaseFailed(order: LeaseOrder, error: unknown): EventBody {
  return { type: 'lease-failed', order, code: codeOf(error), message: messageOf(error) };
}
