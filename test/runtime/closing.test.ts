// A node that ends closes what it has in an order, and waits for no state directory for ever.
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { OpenParts } from '../../src/runtime/closing.ts';
import { closeInOrder, closeUnbegun, endCommand } from '../../src/runtime/closing.ts';

/** Every wait is over as soon as nothing else is left to do. */
vi.mock('node:timers/promises', () => ({
  setTimeout: (_delayMs: number, value: unknown) =>
    new Promise((resolve) => setImmediate(resolve, value)),
}));

const ORDER = { exitCode: 0, reason: 'told to stop', immediate: false };

let said: string[];
let open: OpenParts;

function says(word: string): () => void {
  return () => {
    said.push(word);
  };
}

function saysLater(word: string): () => Promise<void> {
  return () => {
    said.push(word);
    return Promise.resolve();
  };
}

beforeEach(() => {
  said = [];
  open = {
    loop: { end: says('loop') },
    upkeep: { stop: says('upkeep') },
    tidying: {
      close: says('tidying'),
      hurry: says('hurry'),
      endOrphans: () => {
        said.push('orphans');
        return Promise.resolve(new Set());
      },
    },
    health: { close: saysLater('health') },
    lease: { close: saysLater('lease') },
    journal: { close: saysLater('journal') },
    bus: { close: saysLater('bus') },
    warn: (message) => said.push(message),
  };
});

it('ends what it left, gives the lease back, and closes its sockets last', async () => {
  await closeInOrder(open, ORDER);
  expect(said).toEqual([
    'upkeep',
    'tidying',
    'loop',
    'orphans',
    'health',
    'lease',
    'journal',
    'bus',
  ]);
});

it('skips every grace where it is to end at once', async () => {
  await closeInOrder(open, { ...ORDER, immediate: true });
  expect(said.slice(0, 5)).toEqual(['upkeep', 'tidying', 'loop', 'hurry', 'orphans']);
});

it('says what could not be left in order, and goes on', async () => {
  const lease = { close: () => Promise.reject(new Error('no space')) };
  await closeInOrder({ ...open, lease }, ORDER);
  expect(said).toContain('the state directory could not be cleaned up: no space');
  expect(said.at(-1)).toBe('bus');
});

it('ends also where the state directory never answers, and says so', async () => {
  const lease = { close: () => new Promise<void>(() => undefined) };
  await closeInOrder({ ...open, lease }, ORDER);
  expect(said.slice(-3)).toEqual([
    'the state directory could not be cleaned up: no answer within 10s',
    ...['journal', 'bus'],
  ]);
});

it('that has not begun closes all of it, whatever of it fails', async () => {
  const lease = { close: () => Promise.reject(new Error('no space')) };
  await closeUnbegun({ ...open, lease });
  expect(said).toEqual(['upkeep', 'loop', 'journal', 'bus']);
});

it('gives the lease back and closes its sockets also where it could not end what it left', async () => {
  const tidying = {
    ...open.tidying,
    endOrphans: () => Promise.reject(new Error('EMFILE: too many open files')),
  };
  await closeInOrder({ ...open, tidying }, ORDER);
  expect(said).toContain(
    'not all processes it started could be stopped: EMFILE: too many open files',
  );
  expect(said.slice(-3)).toEqual(['lease', 'journal', 'bus']);
});

describe('the end of a command that an error of its node ends', () => {
  const failing = new Error('process 7 did not end');

  function ending(mayBeTaken: () => boolean): {
    readonly done: Promise<void>;
    readonly stop: ReturnType<typeof vi.fn<(graceMs: number) => Promise<void>>>;
    readonly warnings: string[];
  } {
    const stop = vi.fn<(graceMs: number) => Promise<void>>(() => Promise.reject(failing));
    const warnings: string[] = [];
    const warn = (message: string): void => void warnings.push(message);
    return { done: endCommand({ workload: { stop }, mayBeTaken, warn }), stop, warnings };
  }

  it('is tried again, and said once, as long as no other can have the lease', async () => {
    const { done, stop, warnings } = ending(() => stop.mock.calls.length > 2);
    await done;
    expect(stop.mock.calls).toEqual([[0], [0], [0]]);
    expect(warnings).toEqual(['could not stop the command: process 7 did not end']);
  });

  it('is over once nothing of it is left', async () => {
    const { done, stop } = ending(() => false);
    stop.mockResolvedValue();
    await done;
    expect(stop).toHaveBeenCalledTimes(2);
  });

  it('is not waited for where whoever comes next waits for it', async () => {
    const { done, stop } = ending(() => true);
    await done;
    expect(stop).toHaveBeenCalledTimes(1);
  });
});
