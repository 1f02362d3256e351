// Two nodes over HTTP, in virtual time: which of them asks the other.
import { expect, it, onTestFinished } from 'vitest';
import { PeerNode } from '../../src/peers/peer-node.ts';
import { PeerServer } from '../../src/peers/peer-server.ts';
import type { Clock } from '../../src/runtime/ports.ts';
import { freePort } from '../support/free-port.ts';

const INTERVAL_MS = 100;

class ManualClock implements Clock {
  #at = 0;
  #wakes: readonly { readonly at: number; readonly callback: () => void }[] = [];

  now(): number {
    return this.#at;
  }

  wakeAt(at: number, callback: () => void): () => void {
    const wake = { at, callback };
    this.#wakes = [...this.#wakes, wake];
    return () => {
      this.#wakes = this.#wakes.filter((other) => other !== wake);
    };
  }

  goTo(at: number): void {
    this.#at = at;
    const due = this.#wakes.filter((wake) => wake.at <= at);
    this.#wakes = this.#wakes.filter((wake) => wake.at > at);
    for (const { callback } of due) callback();
  }
}

it('of two that spare requests one asks, once in each interval, and both hear', async () => {
  const clock = new ManualClock();
  const urls = [await freePort(), await freePort()].map(
    (port) => `http://127.0.0.1:${String(port)}`,
  );
  const open = async (node: string, target = ''): Promise<PeerNode> => {
    const peers = urls.filter((url) => url !== target);
    const opened = new PeerNode({
      ...{ group: 'g', node, target, peers, secret: 'no stranger knows this', clock },
      ...{ intervalMs: INTERVAL_MS, leaseMs: 6 * INTERVAL_MS, timeoutMs: 10_000 },
      ...{ preempts: false, wants: false, sparesRequests: true, onChange: () => undefined },
    });
    const server = new PeerServer(target, 10_000);
    await server.listen(opened);
    onTestFinished(async () => {
      await Promise.all([opened.close(), server.close()]);
    });
    return opened;
  };
  const [a, b] = [await open('a', urls[0]), await open('b', urls[1])];
  const heard = (): readonly number[] => [a.counters.heard, b.counters.heard];
  await a.begin();
  clock.goTo(50);
  await b.begin();
  // Nobody has answered it before.
  await a.say();
  const [ofA = 0, ofB = 0] = heard();
  for (const [round, at] of [100, 200, 300, 400].entries()) {
    clock.goTo(at);
    clock.goTo(at + 50);
    const expected = [ofA + round + 1, ofB + round + 1];
    await expect.poll(heard, { interval: 1, timeout: 10_000 }).toEqual(expected);
  }
  // Whoever has something to say says it all the same.
  await a.say();
  expect(heard()).toEqual([ofA + 5, ofB + 5]);
});
