// What a message published by one node is for another.
import type { Announcement } from '../../../src/core/effect.ts';
import type { EventBody } from '../../../src/core/event.ts';

interface Sender {
  readonly node: string;
  readonly run: string;
}

/** Null: no event follows from it. */
export function asEvent(sender: Sender, announcement: Announcement): EventBody | null {
  switch (announcement.kind) {
    case 'heartbeat':
      return { ...announcement, ...sender, type: 'heartbeat-received' };
    case 'promoted':
      return { ...sender, type: 'promoted-received', epoch: announcement.epoch };
    case 'shutdown':
      return { ...announcement, ...sender, type: 'shutdown-received' };
    case 'role':
      return null;
  }
}
