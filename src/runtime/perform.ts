// The one place where an effect meets a port. Performs, and turns what it learns into an event.
import type { Effect } from '../core/effect.ts';
import type { EventBody, LeaseOrder } from '../core/event.ts';
import type { Settings } from '../core/settings.ts';
import type { StopOrder } from '../core/state.ts';
import type { RequestOutcome } from '../core/effect.ts';
import type { LeaseStore } from '../lease/lease-store.ts';
import type { Bus, Fencing, Workload } from './ports.ts';
import { codeOf, messageOf } from './failures.ts';

/** Everything one node acts on. */
export interface NodePorts {
  readonly lease: LeaseStore;
  readonly fencing: Fencing;
  readonly workload: Workload;
  readonly bus: Bus;
}

/** What the loop offers to the effects: a way back, and the ends of the process. */
export interface EffectContext {
  readonly settings: Settings;
  readonly ports: NodePorts;
  /** The number of the newest order of a kind whose answers must not be mixed up. */
  readonly latest: { clearing: number };
  readonly dispatch: (event: EventBody) => void;
  readonly answer: (requestId: string, outcome: RequestOutcome) => void;
  readonly suspend: () => void;
  readonly exit: (order: StopOrder) => void;
  /** A port failed where no event can say it; the node goes on. */
  readonly report: (what: string, error: unknown) => void;
}

export function perform(effect: Effect, context: EffectContext): void {
  const { ports, dispatch, report } = context;
  switch (effect.type) {
    case 'acquire-lease':
      void acquire(effect.floor, context);
      return;
    case 'advance-epoch':
      void ports.lease.advanceEpoch(effect.floor).then(
        (epoch) => {
          dispatch({ type: 'epoch-advanced', epoch });
        },
        (error: unknown) => {
          const lost = codeOf(error) === 'FAILOVER_LEASE_LOST';
          if (lost) dispatch({ type: 'lease-lost', cause: messageOf(error) });
          else dispatch(leaseFailed('advance', error));
        },
      );
      return;
    case 'verify-lease': {
      const outcome = ports.lease.verify();
      if (outcome.type === 'lost') dispatch({ type: 'lease-lost', cause: outcome.cause });
      return;
    }
    case 'release-lease':
      void ports.lease.release().then(
        () => {
          dispatch({ type: 'lease-released' });
        },
        (error: unknown) => {
          dispatch(leaseFailed('release', error));
        },
      );
      return;
    case 'observe-lease':
      observe(context);
      return;
    case 'mark-completed':
      void ports.lease.markCompleted(effect.epoch).catch((error: unknown) => {
        report('record that the work is completed', error);
      });
      return;
    case 'inspect-holder':
      void ports.fencing.inspect().then(
        (inspection) => {
          dispatch({ type: 'holder-inspected', inspection });
        },
        (error: unknown) => {
          report('look at the holder of the lease', error);
        },
      );
      return;
    case 'fence-holder':
      void ports.fencing.fence(effect).then(
        ({ outcome, detail }) => {
          dispatch({ type: 'fence-finished', outcome, detail });
        },
        (error: unknown) => {
          dispatch({ type: 'fence-finished', outcome: 'not-released', detail: messageOf(error) });
        },
      );
      return;
    case 'clear-leftovers':
      void clearLeftovers(effect, context);
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
      void ports.bus.requestDemotion(effect).then(
        ({ accepted, detail }) => {
          dispatch({ type: 'demotion-answered', accepted, detail });
        },
        (error: unknown) => {
          dispatch({ type: 'demotion-answered', accepted: false, detail: messageOf(error) });
        },
      );
      return;
    case 'arm-workload':
      workloadStep(ports.workload.arm(), { type: 'workload-armed' }, context);
      return;
    case 'activate-workload':
      workloadStep(ports.workload.activate(effect), { type: 'workload-activated' }, context);
      return;
    case 'deactivate-workload':
      workloadStep(ports.workload.deactivate(), { type: 'workload-deactivated' }, context);
      return;
    case 'stop-workload':
      void ports.workload.stop(effect.graceMs).then(
        () => {
          dispatch({ type: 'workload-stopped' });
        },
        (error: unknown) => {
          dispatch({ type: 'workload-stop-failed', message: messageOf(error) });
        },
      );
      return;
    case 'run-hook': {
      const { hook } = effect;
      void ports.workload.runHook(hook, effect, effect.timeoutMs).then(
        ({ ok, detail }) => {
          dispatch({ type: 'hook-finished', hook, ok, detail });
        },
        (error: unknown) => {
          dispatch({ type: 'hook-finished', hook, ok: false, detail: messageOf(error) });
        },
      );
      return;
    }
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

/** The answer to an order that was given up does not count for the next one: that looks again. */
async function clearLeftovers(
  limits: Extract<Effect, { type: 'clear-leftovers' }>,
  { ports, latest, dispatch }: EffectContext,
): Promise<void> {
  latest.clearing += 1;
  const order = latest.clearing;
  let answer: EventBody;
  try {
    const result = await ports.fencing.clearLeftovers(limits);
    answer =
      result.type === 'cleared'
        ? { type: 'leftovers-cleared', ended: result.ended }
        : { type: 'leftovers-remain', detail: result.detail };
  } catch (error) {
    answer = { type: 'leftovers-remain', detail: messageOf(error) };
  }
  if (order === latest.clearing) dispatch(answer);
}

async function acquire(floor: number, { ports, dispatch }: EffectContext): Promise<void> {
  try {
    const outcome = await ports.lease.acquire(floor);
    if (outcome.type === 'granted') {
      dispatch({ type: 'lease-granted', epoch: outcome.epoch, previous: outcome.previous });
    } else {
      const { cause, observation } = outcome;
      dispatch({ type: 'lease-denied', cause, observation });
    }
  } catch (error) {
    dispatch(leaseFailed('acquire', error));
  }
}

function observe({ ports, dispatch }: EffectContext): void {
  try {
    dispatch({ type: 'lease-observed', observation: ports.lease.observe() });
  } catch (error) {
    dispatch(leaseFailed('observe', error));
  }
}

async function probe(
  effect: Extract<Effect, { type: 'probe' }>,
  { ports, settings, dispatch }: EffectContext,
): Promise<void> {
  const standby = {
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

function workloadStep(step: Promise<void>, done: EventBody, { dispatch }: EffectContext): void {
  step.then(
    () => {
      dispatch(done);
    },
    (error: unknown) => {
      dispatch({ type: 'workload-failed', code: codeOf(error), message: messageOf(error) });
    },
  );
}

function leaseFailed(order: LeaseOrder, error: unknown): EventBody {
  return { type: 'lease-failed', order, code: codeOf(error), message: messageOf(error) };
}
