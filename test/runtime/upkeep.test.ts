import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { Upkeep } from '../../src/runtime/upkeep.ts';
import type { UpkeepParts } from '../../src/runtime/upkeep.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it.each(['primary', 'candidate', 'secondary', 'stopped'] as const)(
  'forgets ended sessions each second as %s, and goes on where it can not look',
  (role) => {
    const forgetEmptySessions = vi.fn(() => {
      throw new Error('no descriptor left');
    });
    const tidy = vi.fn();
    upkeepOf({ role: () => role, forgetEmptySessions, tidy });
    vi.advanceTimersByTime(3_000);
    expect(forgetEmptySessions).toHaveBeenCalledTimes(3);
    expect(tidy).toHaveBeenCalledTimes(role === 'primary' ? 3 : 0);
  },
);

function upkeepOf(parts: Partial<UpkeepParts>): void {
  // Of the transport nothing else is used.
  const transport = {
    endpoints: { bus: 'ipc:///none', rpc: 'ipc:///none' },
    checkSockets: () => ({ type: 'fine' }),
  } as unknown as UpkeepParts['transport'];
  const nothing = (): void => undefined;
  const upkeep = new Upkeep({
    intervalMs: undefined,
    transport,
    role: () => 'secondary',
    updateEndpoints: nothing,
    tidy: nothing,
    removedAtMs: () => null,
    removalWarning: () => null,
    look: nothing,
    forgetEmptySessions: nothing,
    troubles: () => [],
    warn: nothing,
    ...parts,
  });
  onTestFinished(() => {
    upkeep.stop();
  });
}
