// Where an effect of the core meets the simulated world; the counterpart of the production switch.
import type { Effect, VerifyScope } from '../core/effect.ts';
import { reportOf } from '../core/report.ts';
import type { Life } from './life.ts';
import type { World } from './world.ts';

export function perform(effect: Effect, life: Life, world: World): void {
  switch (effect.type) {
    case 'acquire-lease':
      life.lease.acquire(effect.floor);
      return;
    case 'prepare-claim':
      // It changes nothing but the time that a claim takes.
      return;
    case 'advance-epoch':
      life.lease.advanceEpoch(effect.floor);
      return;
    case 'verify-lease':
      isHeld(life, effect.scope);
      return;
    case 'renew-lease':
      life.lease.renew();
      return;
    case 'extend-deadline':
      life.guard?.extend(effect.deadlineAt);
      return;
    case 'release-lease':
      life.lease.giveBack();
      return;
    case 'observe-lease':
      life.lease.look();
      return;
    case 'list-peers':
      listPeers(life, world);
      return;
    case 'mark-completed':
      life.lease.markCompleted();
      return;
    case 'inspect-holder':
      life.fencer.inspect();
      return;
    case 'fence-holder':
      life.fencer.fence(effect);
      return;
    case 'clear-leftovers':
      life.clearing.begin(effect);
      return;
    case 'follow':
      world.network.follow(life, effect.holder);
      return;
    case 'publish':
      world.checker.announced(life, effect.announcement);
      world.network.publish(life, effect.announcement);
      world.proxies.hear(life, effect.announcement);
      return;
    case 'probe':
      probe(effect, life, world);
      return;
    case 'request-demotion':
      requestDemotion(effect, life, world);
      return;
    case 'arm-workload':
      life.workload.arm();
      return;
    case 'activate-workload':
      if (isHeld(life)) life.workload.activate(effect.epoch);
      return;
    case 'deactivate-workload':
      life.workload.deactivate();
      return;
    case 'stop-workload':
      life.workload.stop(effect.graceMs);
      return;
    case 'run-hook':
      if (isHeld(life)) life.workload.runHook(effect);
      return;
    case 'check-health':
      checkHealth(effect, life, world);
      return;
    case 'answer':
      world.requests.answered(effect.requestId, effect.outcome);
      return;
    case 'suspend-process':
      life.suspension.order();
      return;
    case 'exit':
      life.exit();
      return;
  }
}

function isHeld(life: Life, scope: VerifyScope = 'all'): boolean {
  const cause = life.lease.verify(scope);
  if (cause !== null) life.dispatch({ type: 'lease-lost', cause, withinMs: 0 });
  return cause === null;
}

/** Who is there, as their records say; a store that is out of reach says nothing. */
function listPeers(life: Life, world: World): void {
  if (Math.max(life.storeCutUntil, world.store?.downUntil ?? 0) > world.at) return;
  const peers = world.lives.map(({ settings }) => {
    const { nodeId: node, run, priority } = settings;
    return { node, run, priority, seenAgoMs: 0 };
  });
  life.answer(() => {
    life.dispatch({ type: 'peers-listed', peers });
  });
}

/** Answered, or failed when the time is up: whichever this process sees first. */
function probe(effect: Extract<Effect, { type: 'probe' }>, life: Life, world: World): void {
  const { probe: number, willing, standingByMs, health } = effect;
  let settled = false;
  world.network.call(life, (target, reply) => {
    const { nodeId: node, run, version, priority, standby } = life.settings;
    const info = {
      ...{ node, run, version, priority, standby, willing, standingByMs },
      ...(health === undefined ? {} : { health }),
    };
    target.dispatch({ type: 'standby-heard', standby: info });
    const { epoch, role } = reportOf(target.state, target.settings);
    const answer = { run: target.settings.run, epoch, role, version: target.settings.version };
    reply(() => {
      if (settled) return;
      settled = true;
      life.dispatch({ type: 'probe-answered', probe: number, ...answer });
    });
  });
  life.later(effect.timeoutMs, () => {
    if (settled) return;
    settled = true;
    life.dispatch({ type: 'probe-failed', probe: number, cause: 'no answer' });
  });
}

/** What the check finds at its end; the answer may be late, or lost. */
function checkHealth(
  { number, subject, timeoutMs }: Extract<Effect, { type: 'check-health' }>,
  life: Life,
  world: World,
): void {
  const isHanging = (): boolean =>
    life.checksHangUntil > world.at ||
    (subject === 'workload' && life.workload.active?.standsStill === true);
  const quickMs = life.random.between(0.5, Math.min(timeoutMs, 20));
  life.later(isHanging() ? timeoutMs : quickMs, () => {
    const found = life.sickUntil > world.at ? 'failed' : 'passed';
    const outcome = isHanging() ? 'timed-out' : found;
    const cpuPressure = life.starvedUntil > world.at ? 1 : 0;
    life.answer(() => {
      life.dispatch({ type: 'health-checked', number, outcome, detail: outcome, cpuPressure });
    });
  });
}

function requestDemotion(
  effect: Extract<Effect, { type: 'request-demotion' }>,
  life: Life,
  world: World,
): void {
  const expiresAt = world.at + effect.timeoutMs;
  let settled = false;
  const isNewest = life.orders.begin('demotion-request');
  const settle = (accepted: boolean, detail: string): void => {
    if (settled || !isNewest()) return;
    settled = true;
    life.dispatch({ type: 'demotion-answered', accepted, detail });
  };
  world.network.call(life, (target, reply) => {
    if (world.at > expiresAt) return;
    const requestId = world.requests.ask((outcome) => {
      reply(() => {
        settle(outcome.ok, outcome.ok ? outcome.detail : outcome.message);
      });
    });
    const { successor, preempting } = effect;
    const request = { requestId, successor, preempting, holdMs: null, answerEarly: true };
    target.dispatch({ type: 'demote-requested', ...request });
  });
  life.later(effect.timeoutMs, () => {
    settle(false, 'no answer');
  });
}
