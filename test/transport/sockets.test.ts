// Reading from a socket: what comes faster than it can be handled keeps nothing else waiting.
import { expect, it, onTestFinished } from 'vitest';
import { Dealer, Router } from 'zeromq';
import { monotonicNow } from '../../src/runtime/clock.ts';
import { readMessages } from '../../src/transport/sockets.ts';
import { temporaryDirectory } from './support/nodes.ts';

it('leaves timers a turn while more messages wait than can be handled', async () => {
  const [router, dealer] = [new Router({ linger: 0 }), new Dealer({ linger: 0 })];
  onTestFinished(() => {
    router.close();
    dealer.close();
  });
  const address = `ipc://${temporaryDirectory()}/x`;
  await router.bind(address);
  dealer.connect(address);
  for (let n = 0; n < WAITING; n += 1) await dealer.send(String(n));
  let handled = 0;
  let handledAtTurn: number | null = null;
  await new Promise<void>((resolve) => {
    void readMessages(router, () => {
      if (handled === 0) setTimeout(() => (handledAtTurn = handled), 0);
      const untilMs = monotonicNow() + 2;
      while (monotonicNow() < untilMs);
      handled += 1;
      if (handled === WAITING) resolve();
    });
  });
  expect(handledAtTurn).not.toBeNull();
  expect(handledAtTurn).toBeLessThan(WAITING);
});

const WAITING = 200;
