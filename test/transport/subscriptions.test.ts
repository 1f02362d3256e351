// What a publisher knows of those who listen: never that nobody hears what somebody may hear.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Subscriptions } from '../../src/transport/subscriptions.ts';

const begins = (prefix: string): Buffer[] => [Buffer.from(`\u0001${prefix}`, 'latin1')];
const ends = (prefix: string): Buffer[] => [Buffer.from(`\u0000${prefix}`, 'latin1')];

it('knows who hears all of a group, and who all but its heartbeats', () => {
  const subscriptions = new Subscriptions();
  expect(subscriptions.wants('web/heartbeat')).toBe(false);
  subscriptions.hear(begins('web/'));
  expect(subscriptions.wants('web/heartbeat')).toBe(true);
  expect(subscriptions.wants('web2/heartbeat')).toBe(false);
  for (const kind of ['role', 'promoted', 'shutdown']) subscriptions.hear(begins(`web/${kind}`));
  subscriptions.hear(ends('web/'));
  expect(subscriptions.wants('web/heartbeat')).toBe(false);
});

it('knows whether somebody hears the heartbeats together, and unlearns it from nobody', () => {
  const subscriptions = new Subscriptions();
  expect(subscriptions.wantsTogether).toBe(false);
  subscriptions.hear(begins('*/heartbeats'));
  expect(subscriptions.wantsTogether).toBe(true);
  subscriptions.hear(ends('*/heartbeats'));
  expect(subscriptions.wantsTogether).toBe(true);
});

it('takes for an end only what is one', () => {
  const subscriptions = new Subscriptions();
  subscriptions.hear(begins('web/'));
  subscriptions.hear([Buffer.from('\u0002web/')]);
  subscriptions.hear([...ends('web/'), Buffer.from('more')]);
  subscriptions.hear([Buffer.from('web/')]);
  expect(subscriptions.wants('web/heartbeat')).toBe(true);
});

it.each(['', 'w', 'web', 'web/heart'])(
  'sends everything while somebody listens to %j',
  (prefix) => {
    const subscriptions = new Subscriptions();
    subscriptions.hear(begins(prefix));
    expect(subscriptions.wants('web/heartbeat')).toBe(true);
    subscriptions.hear(ends(prefix));
    expect(subscriptions.wants('web/heartbeat')).toBe(false);
  },
);

it('remembers so many of them, and sends everything from there on', () => {
  const subscriptions = new Subscriptions();
  for (let count = 0; count < 10_000; count += 1) {
    subscriptions.hear(begins(`g${String(count)}/`));
  }
  expect(subscriptions.wants('web/heartbeat')).toBe(false);
  subscriptions.hear(begins('another/'));
  expect(subscriptions.wants('web/heartbeat')).toBe(true);
});

it('takes any bytes', () => {
  const subscriptions = new Subscriptions();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      subscriptions.hear([Buffer.from(bytes)]);
      subscriptions.hear([]);
    }),
  );
});
