// The loop of one node: what comes before it begins to take part, and what it answers then.
import { expect, it } from 'vitest';
import type { RequestOutcome } from '../../src/core/effect.ts';
import type { LeaseObservation, StopOrder } from '../../src/core/state.ts';
import type { Step } from '../../src/core/transition.ts';
import { NodeLoop } from '../../src/runtime/node.ts';
import type { NodeOptions } from '../../src/runtime/node.ts';
import { settingsWith } from '../support/core-settings.ts';

const HELD: LeaseObservation = {
  ...{ epoch: 3, held: true, holder: null, recordUnreadable: false, touch: null, paused: false },
};

/** A loop under virtual time whose ports note what is ordered. */
class Stage {
  readonly orders: string[] = [];
  readonly steps: Step[] = [];
  readonly reports: string[] = [];
  readonly loop: NodeLoop;
  #now = 0;
  #wake: { readonly atMs: number; readonly callback: () => void } | null = null;

  constructor() {
    const options = {
      settings: settingsWith({ standby: 'hot' }),
      seed: 1,
      clock: {
        now: () => this.#now,
        wakeAt: (atMs: number, callback: () => void) => {
          this.#wake = { atMs, callback };
          return () => (this.#wake = null);
        },
      },
      ports: {
        lease: {
          look: () => {
            this.orders.push('look');
            return HELD;
          },
        },
        workload: {
          arm: () => {
            this.orders.push('arm');
            return Promise.resolve();
          },
        },
      },
      hooks: {
        onStep: (step: Step) => {
          this.steps.push({ ...step, before: { ...step.before } });
        },
        onReport: (what: string, error: unknown) => {
          this.reports.push(`${what}: ${String(error)}`);
        },
        onFatal: ({ reason }: StopOrder) => {
          throw new Error(reason);
        },
      },
    };
    // Nothing else is used by a node that follows nobody who can be named.
    this.loop = new NodeLoop(options as unknown as NodeOptions);
  }

  passTo(untilMs: number): void {
    for (let wake = this.#wake; wake !== null && wake.atMs <= untilMs; wake = this.#wake) {
      this.#now = Math.max(this.#now, wake.atMs);
      this.#wake = null;
      wake.callback();
    }
    this.#now = untilMs;
  }
}

it('does nothing before it begins, and then keeps what stands by, whatever it was told before', () => {
  const stage = new Stage();
  stage.loop.dispatch({ type: 'lease-changed' });
  stage.passTo(100);
  expect(stage.orders).toEqual([]);
  stage.loop.start();
  expect(stage.orders).toContain('arm');
});

it('knows from the start what it was told before it begins', () => {
  const stage = new Stage();
  stage.loop.dispatch({ type: 'enabled-changed', enabled: false });
  stage.loop.start();
  expect(stage.loop.state.enabled).toBe(false);
});

it('answers what it was asked before it begins, also when it never does', async () => {
  const stage = new Stage();
  const answer = stage.loop.request((requestId) => ({
    type: 'demote-requested',
    requestId,
    ...{ successor: null, holdMs: null, answerEarly: false },
  }));
  stage.loop.end();
  await expect(answer).resolves.toMatchObject({ ok: false, message: 'this node has exited' });
});

it('drops what comes while too much waits, says so once, and refuses what it was asked then', async () => {
  const stage = new Stage();
  const ask = (): Promise<RequestOutcome> =>
    stage.loop.request((requestId) => ({
      type: 'check-requested',
      ...{ requestId, answerEarly: false },
    }));
  for (let count = 0; count < 10_000; count += 1) stage.loop.dispatch({ type: 'lease-changed' });
  expect(stage.reports).toEqual([]);
  const answers = [ask(), ask()];
  stage.loop.dispatch({ type: 'lease-changed' });
  expect(stage.reports).toEqual(['take in what happens: Error: 10000 events wait already']);
  for (const answer of answers) {
    await expect(answer).resolves.toMatchObject({ ok: false, code: 'FAILOVER_REFUSED' });
  }
  stage.loop.start();
  expect(stage.steps).toHaveLength(10_001);
});

it('keeps its state in one object while its phase lasts, and tells of each step as it was', () => {
  const stage = new Stage();
  stage.loop.start();
  let atMs = 0;
  while (stage.loop.state.phase !== 'watching' && atMs < 10_000) stage.passTo((atMs += 10));
  const own = stage.loop.state;
  const begun = stage.steps.length;
  stage.passTo(atMs + 1_200);
  expect(stage.loop.state).toBe(own);
  expect(own.phase).toBe('watching');
  const later = stage.steps.slice(begun);
  expect(later.length).toBeGreaterThan(1);
  for (const [index, { before, event, state }] of later.entries()) {
    expect(state).not.toBe(own);
    expect(state.at).toBe(event.at);
    expect(before).toEqual(stage.steps[begun + index - 1]?.state);
  }
  expect(own).toEqual(later.at(-1)?.state);
});
