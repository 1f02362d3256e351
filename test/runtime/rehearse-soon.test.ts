// A node rehearses once, and only while it stands by: a takeover of its own must not share the CPU with it.
import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Phase } from '../../src/core/state.ts';
import type { NodeEvents } from '../../src/runtime/narrator.ts';
import { rehearseOnceStandingBy } from '../../src/runtime/rehearse-soon.ts';

/** Longer than a node is left alone before it rehearses. */
const LONG_MS = 1_000;

class Node extends EventEmitter<NodeEvents> {
  state: { readonly phase: Phase } = { phase: 'listening' };
  rehearsals = 0;
  fails = false;
  readonly warnings: string[] = [];

  constructor() {
    super();
    rehearseOnceStandingBy(this, (reason) => this.warnings.push(reason));
  }

  becomes(phase: Phase): void {
    const { phase: from } = this.state;
    this.state = { phase };
    const said = { role: 'secondary', epoch: 1, reason: '', takeover: null } as const;
    this.emit('transition', { from, to: phase, time: new Date(0), ...said });
  }

  rehearse(): Promise<void> {
    this.rehearsals += 1;
    return this.fails ? Promise.reject(new Error('no room')) : Promise.resolve();
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

it('rehearses once it has stood by for a while, and never again', async () => {
  node.becomes('watching');
  expect(node.rehearsals).toBe(0);
  await vi.advanceTimersByTimeAsync(LONG_MS);
  expect(node.rehearsals).toBe(1);
  node.becomes('suspecting');
  node.becomes('watching');
  await vi.advanceTimersByTimeAsync(LONG_MS);
  expect(node.rehearsals).toBe(1);
});

it.each(['acquiring', 'starting', 'serving', 'suspecting', 'waiting', 'stopping'] as const)(
  'does not rehearse when it is %s by then, but once it stands by again',
  async (phase) => {
    node.becomes('watching');
    node.becomes(phase);
    await vi.advanceTimersByTimeAsync(LONG_MS);
    expect(node.rehearsals).toBe(0);
    node.becomes('watching');
    await vi.advanceTimersByTimeAsync(LONG_MS);
    expect(node.rehearsals).toBe(1);
  },
);

it('says that a rehearsal failed, and rehearses when it stands by anew', async () => {
  node.fails = true;
  node.becomes('watching');
  await vi.advanceTimersByTimeAsync(LONG_MS);
  expect(node.warnings).toEqual(['could not rehearse a promotion: no room']);
  node.fails = false;
  node.becomes('watching');
  await vi.advanceTimersByTimeAsync(LONG_MS);
  expect(node.rehearsals).toBe(2);
});

it('does not rehearse after its end', async () => {
  node.becomes('watching');
  node.emit('exit', { exitCode: 0, reason: 'told to', immediate: false });
  await vi.advanceTimersByTimeAsync(LONG_MS);
  expect(node.rehearsals).toBe(0);
});
