// The connection of the page, with a source of events that is made up: when it is taken for lost.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Stream } from '../../src/dashboard/stream.ts';

/** That of browsers, as far as it is used. */
class FakeSource extends EventTarget {
  static latest: FakeSource | null = null;
  onerror: (() => void) | null = null;

  constructor() {
    super();
    FakeSource.latest = this;
  }

  say(name: string, data: string): void {
    this.dispatchEvent(Object.assign(new Event(name), { data, lastEventId: '' }));
  }

  close(): void {
    // Nothing comes from it unless it is told to.
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('EventSource', FakeSource);
  vi.stubGlobal('window', new EventTarget());
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe('the connection of the page', () => {
  it('is lost when nothing is heard, and not while the server says that it is there', () => {
    const heard: string[] = [];
    const nothing = (): void => undefined;
    const stream = new Stream({
      ...{ onGroups: nothing, onStatus: nothing, onTransition: nothing, onPulse: nothing },
      ...{ onProblem: nothing, onConnection: (connection) => void heard.push(connection.is) },
    });
    stream.connect();
    FakeSource.latest?.say('groups', '{"groups":[]}');
    for (let sign = 0; sign < 12; sign += 1) {
      vi.advanceTimersByTime(10_000);
      FakeSource.latest?.say('here', '{}');
    }
    expect(heard).toEqual(['connecting', 'open']);
    vi.advanceTimersByTime(25_000);
    expect(heard).toEqual(['connecting', 'open', 'lost']);
  });
});
