// Two or three nodes under crashes, stops, lost messages and requests: one active at most, epochs that only
// rise, and a primary again once the trouble ends.
import { describe, expect, it } from 'vitest';
import type { Settings } from '../../../src/core/settings.ts';
import { settingsWith } from '../../support/core-settings.ts';
import { GroupModel } from './group-model.ts';
import type { ModelNode } from './group-model.ts';
import { Random } from './random.ts';

const TROUBLE_MS = 60_000;

/** A backoff, a refused or expired request to hand over, a hung primary: whichever runs when the trouble ends. */
const RECOVERY_MS = 75_000;

const RUNS = Number(process.env['MODEL_RUNS'] ?? 150);

function settingsFor(random: Random): (id: string, run: string) => Settings {
  const group: Partial<Settings> = {
    standby: random.pick(['cold', 'armed', 'hot'] as const) ?? 'cold',
    hasPromoteCommand: random.happens(0.5),
    hasDemoteCommand: random.happens(0.5),
    coolOffMs: 5_000,
    restartWindowMs: 10_000,
  };
  return (nodeId, run) => settingsWith({ ...group, nodeId, run });
}

/** One piece of trouble for one node. */
function trouble(model: GroupModel, node: ModelNode): void {
  const { random } = model;
  const request = `r${String(model.at)}`;
  const kind = Math.floor(random.between(0, 8));
  if (kind <= 1) model.crash(node);
  else if (kind === 2) node.stoppedUntil = model.at + random.between(50, 8_000);
  else if (kind === 3) {
    const alive = model.active.has(node.settings.run) && node.state.role === 'primary';
    if (alive) model.dispatch(node, { type: 'workload-ended', exitCode: 1, signal: null });
  } else if (kind === 4) {
    const force = random.happens(0.3);
    model.dispatch(node, { type: 'promote-requested', requestId: request, force });
  } else if (kind === 5) {
    const holdMs = random.happens(0.5) ? 3_000 : null;
    const demotion = { requestId: request, successor: null, holdMs, answerEarly: false };
    model.dispatch(node, { type: 'demote-requested', ...demotion });
  } else if (kind === 6) {
    const order = { exitCode: 0, reason: 'SIGTERM', immediate: random.happens(0.3) };
    model.dispatch(node, { type: 'stop-requested', order, requestId: null });
  } else {
    model.dispatch(node, { type: 'check-requested', requestId: request });
  }
}

function play(seed: number): GroupModel {
  const random = new Random(seed);
  const model = new GroupModel(random, settingsFor(random));
  const ids = random.happens(0.5) ? ['a', 'b'] : ['a', 'b', 'c'];
  for (const id of ids) model.start(id);
  for (let at = 0; at < TROUBLE_MS; at += random.between(5, 4_000)) {
    model.runUntil(at);
    const node = random.pick(model.living());
    if (node !== undefined) trouble(model, node);
    if (random.happens(0.1)) model.paused = !model.paused;
    // Whatever ended comes back under the same id, as another run.
    model.runUntil(at + random.between(0, 300));
    const lives = new Set(model.living().map(({ id }) => id));
    for (const id of ids) if (!lives.has(id)) model.start(id);
  }
  model.paused = false;
  model.runUntil(TROUBLE_MS + RECOVERY_MS);
  return model;
}

describe('a small group', () => {
  it('has one active workload at most, rising epochs, and a primary when the trouble ends', () => {
    let steps = 0;
    let activations = 0;
    for (let seed = 1; seed <= RUNS; seed += 1) {
      try {
        const model = play(seed);
        steps += model.steps;
        activations += model.activations;
        const phases = model.living().map(({ state }) => state.phase);
        expect(
          phases.filter((phase) => phase === 'serving'),
          phases.join(', '),
        ).toHaveLength(1);
      } catch (error) {
        throw new Error(`seed ${String(seed)}`, { cause: error });
      }
    }
    expect(steps).toBeGreaterThan(RUNS * 500);
    expect(activations).toBeGreaterThan(RUNS * 5);
  });
});
