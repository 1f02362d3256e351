// A node makes ready what its next start takes its time for once it has settled, and not during a change.
import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Phase } from '../../src/core/state.ts';
import type { NodeEvents } from '../../src/runtime/narrator.ts';
import { startAheadWhenSettled } from '../../src/runtime/start-ahead.ts';

/** Longer than a node is left alone. */
const LONG_MS = 1_000;

class Node extends EventEmitter<NodeEvents> {
  state: { readonly phase: Phase } = { phase: 'listening' };
  times = 0;

  constructor() {
    super();
    startAheadWhenSettled(this, () => {
      this.times += 1;
    });
  }

  becomes(phase: Phase): void {
    const { phase: from } = this.state;
    this.state = { phase };
    const said = { role: 'secondary', epoch: 1, reason: '', takeover: null } as const;
    this.emit('transition', { from, to: phase, time: new Date(0), ...said });
  }
}

let node: Node;
beforeEach(() => {
  vi.useFakeTimers();
  node = new Node();
});
afterEach(() => {
  vi.useRealTimers();
});

it('starts ahead once for each time that it settles, as primary too', () => {
  node.becomes('watching');
  expect(node.times).toBe(0);
  vi.advanceTimersByTime(LONG_MS);
  expect(node.times).toBe(1);
  for (const phase of ['acquiring', 'clearing', 'starting', 'serving'] as const)
    node.becomes(phase);
  vi.advanceTimersByTime(LONG_MS);
  expect(node.times).toBe(2);
});

it.each(['acquiring', 'starting', 'restarting', 'demoting', 'stopping'] as const)(
  'starts nothing ahead while it is %s',
  (phase) => {
    node.becomes('watching');
    node.becomes(phase);
    vi.advanceTimersByTime(LONG_MS);
    expect(node.times).toBe(0);
  },
);

it('starts nothing ahead once the node has ended', () => {
  node.becomes('watching');
  node.emit('exit', { exitCode: 0, reason: 'told to', immediate: false });
  vi.advanceTimersByTime(LONG_MS);
  expect(node.times).toBe(0);
});
