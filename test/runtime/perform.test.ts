// Which answers reach the core: those of the newest order of a kind, and none of what must not begin.
import { describe, expect, it } from 'vitest';
import type { Effect } from '../../src/core/effect.ts';
import type { EventBody } from '../../src/core/event.ts';
import type { VerifyOutcome } from '../../src/lease/lease-store.ts';
import { Orders } from '../../src/runtime/orders.ts';
import { perform } from '../../src/runtime/perform.ts';
import type { EffectContext } from '../../src/runtime/perform.ts';

const TERM = { epoch: 3, previous: null, reason: 'start' } as const;
const VERIFY: Effect = { type: 'verify-lease', scope: 'all' };
const STOP: Effect = { type: 'stop-workload', graceMs: 0 };
const ARM: Effect = { type: 'arm-workload' };
const ACTIVATE: Effect = { type: 'activate-workload', ...TERM };
const ACQUIRE: Effect = { type: 'acquire-lease', floor: 0 };
const RELEASE: Effect = { type: 'release-lease' };
const ADVANCE: Effect = { type: 'advance-epoch', floor: 0 };
const HOOK: Effect = { type: 'run-hook', hook: 'demote', timeoutMs: 1_000, ...TERM };
const CLEAR: Effect = { type: 'clear-leftovers', fenceGraceMs: 0, stopGraceMs: 0 };

const RENEW: Effect = { type: 'renew-lease', timeoutMs: 500 };
const LOOK: Effect = { type: 'observe-lease' };

const GRANTED = { type: 'granted', epoch: 3, previous: null, granted: null } as const;

describe('an answer', () => {
  it.each([
    ['a stop that is followed by another', STOP, undefined, STOP],
    ['a stop that is followed by a start', STOP, undefined, ARM],
    ['a start that is followed by a stop', ACTIVATE, undefined, STOP],
    ['a claim that is followed by its return', ACQUIRE, GRANTED, RELEASE],
    ['a return that is followed by a claim', RELEASE, undefined, ACQUIRE],
    ['a hook that is followed by another', HOOK, { ok: true, detail: '' }, HOOK],
    ['emptying that is ordered again', CLEAR, { type: 'cleared', ended: 0 }, CLEAR],
  ])('does not count for %s', async (_, order, result, next) => {
    const stage = new Stage();
    stage.perform(order);
    stage.perform(next);
    await stage.settle(0, result);
    expect(stage.events).toEqual([]);
  });

  it('does not count either when the order failed', async () => {
    const stage = new Stage();
    stage.perform(STOP);
    stage.perform(STOP);
    await stage.fail(0);
    expect(stage.events).toEqual([]);
    await stage.fail(1);
    expect(stage.types).toEqual(['workload-stop-failed']);
  });

  it('counts for the newest order, whatever of another kind came after it', async () => {
    const stage = new Stage();
    for (const order of [ACQUIRE, CLEAR, ACTIVATE, HOOK]) stage.perform(order);
    await stage.settle(0, GRANTED);
    await stage.settle(1, { type: 'cleared', ended: 2 });
    await stage.settle(2, undefined);
    await stage.settle(3, { ok: true, detail: 'exit code 0' });
    expect(stage.events).toEqual([
      { type: 'lease-granted', epoch: 3, previous: null, granted: null },
      { type: 'leftovers-cleared', ended: 2 },
      { type: 'workload-activated' },
      { type: 'hook-finished', hook: 'demote', ok: true, detail: 'exit code 0' },
    ]);
  });

  it('tells of an epoch that was claimed also after the lease was given back', async () => {
    const stage = new Stage();
    stage.perform(ADVANCE);
    stage.perform(RELEASE);
    await stage.settle(0, 4);
    expect(stage.events).toEqual([{ type: 'epoch-advanced', epoch: 4 }]);
  });

  it('tells of no claim of an epoch that failed before the lease was given back', async () => {
    const stage = new Stage();
    stage.perform(ADVANCE);
    stage.perform(RELEASE);
    await stage.fail(0);
    expect(stage.events).toEqual([]);
  });
});

describe('a lease with a time to live', () => {
  it('is granted with what it was granted for', async () => {
    const stage = new Stage();
    const granted = { askedAt: 10, ttlMs: 3_000 };
    stage.perform(ACQUIRE);
    await stage.settle(0, { ...GRANTED, granted });
    expect(stage.events).toEqual([{ type: 'lease-granted', epoch: 3, previous: null, granted }]);
  });

  it('is renewed by each answer, in whatever order they come', async () => {
    const stage = new Stage();
    stage.perform(RENEW);
    stage.perform(RENEW);
    await stage.settle(1, { type: 'renewed', askedAt: 20, ttlMs: 3_000 });
    await stage.settle(0, { type: 'renewed', askedAt: 10, ttlMs: 3_000 });
    expect(stage.events).toEqual([
      { type: 'lease-renewed', askedAt: 20, ttlMs: 3_000 },
      { type: 'lease-renewed', askedAt: 10, ttlMs: 3_000 },
    ]);
  });

  it('is lost when the store says so, and only then', async () => {
    const stage = new Stage();
    for (let order = 0; order < 3; order += 1) stage.perform(RENEW);
    await stage.fail(0);
    await stage.settle(1, { type: 'over' });
    await stage.settle(2, { type: 'lost', cause: 'another has it' });
    const failed = { type: 'lease-failed', order: 'renew', message: 'on purpose' };
    expect(stage.events).toEqual([
      expect.objectContaining(failed),
      { type: 'lease-lost', cause: 'another has it', withinMs: 0 },
    ]);
  });

  it('is seen when its store answers, or seen not to', async () => {
    const stage = new Stage();
    stage.perform(LOOK);
    stage.perform(LOOK);
    expect(stage.events).toEqual([]);
    await stage.settle(1, 'what it shows');
    await stage.fail(0);
    expect(stage.events).toEqual([
      { type: 'lease-observed', observation: 'what it shows', askedAt: 40 },
      expect.objectContaining({ type: 'lease-failed', order: 'observe' }),
    ]);
  });
});

describe('a deadline', () => {
  const EXTEND: Effect = { type: 'extend-deadline', deadlineAt: 3_000 };

  it('goes to the guard, and nowhere where there is none', () => {
    const deadlines: number[] = [];
    const extend = (at: number): number => deadlines.push(at);
    new Stage(undefined, { extend }).perform(EXTEND);
    expect(deadlines).toEqual([3_000]);
    expect(() => {
      new Stage().perform(EXTEND);
    }).toThrow('without a time to live');
  });
});

describe('what only the holder of the lease may do', () => {
  it.each([ACTIVATE, HOOK])('is not begun when the lease is found lost: $type', (effect) => {
    const stage = new Stage(() => ({ type: 'lost', cause: 'it was removed' }));
    stage.perform(effect);
    expect(stage.events).toEqual([{ type: 'lease-lost', cause: 'it was removed', withinMs: 0 }]);
    expect(stage.calls).toEqual([]);
  });

  it.each([ACTIVATE, HOOK, VERIFY])('is not begun when the look failed: $type', (effect) => {
    const stage = new Stage(() => {
      throw new Error('the file system is read-only');
    });
    stage.perform(effect);
    const cause = 'it could not be inspected: the file system is read-only';
    expect(stage.events).toEqual([{ type: 'lease-lost', cause, withinMs: 0 }]);
    expect(stage.calls).toEqual([]);
  });
});

interface Call {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Ports whose every order is answered by hand, in any order. */
class Stage {
  readonly events: EventBody[] = [];
  readonly calls: Call[] = [];
  readonly #context: EffectContext;

  constructor(
    verify: () => VerifyOutcome = () => ({ type: 'held' }),
    guard: { readonly extend: (at: number) => void } | null = null,
  ) {
    const ordered = async (): Promise<unknown> =>
      new Promise((resolve, reject) => {
        this.calls.push({ resolve, reject });
      });
    const ports = {
      lease: {
        acquire: ordered,
        release: ordered,
        advanceEpoch: ordered,
        renew: ordered,
        look: ordered,
        verify,
      },
      guard,
      fencing: { clearLeftovers: ordered },
      workload: { arm: ordered, activate: ordered, stop: ordered, runHook: ordered },
    };
    const context = {
      ports,
      orders: new Orders(),
      dispatch: (event: EventBody): void => {
        this.events.push(event);
      },
      now: () => 40,
    };
    // Nothing else is used for these effects.
    this.#context = context as unknown as EffectContext;
  }

  get types(): readonly string[] {
    return this.events.map(({ type }) => type);
  }

  perform(effect: Effect): void {
    perform(effect, this.#context);
  }

  async settle(call: number, result: unknown): Promise<void> {
    this.calls[call]?.resolve(result);
    await everythingSettled();
  }

  async fail(call: number): Promise<void> {
    this.calls[call]?.reject(new Error('on purpose'));
    await everythingSettled();
  }
}

/** All that follows from a promise is done before the next turn of the event loop. */
async function everythingSettled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
