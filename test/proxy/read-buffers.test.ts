// Buffers that are read into again: never before what was read into them is on its way.
import type { Socket } from 'node:net';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { ReadBuffers, Relay } from '../../src/proxy/read-buffers.ts';

/** Takes what is written when it is told to. */
class Sink extends Writable {
  readonly written: string[] = [];
  #held: ((error?: Error) => void) | null = null;
  isSlow = false;

  override _write(chunk: Buffer, _: string, done: (error?: Error) => void): void {
    const take = (error?: Error): void => {
      // As it is when it is sent, which may be long after it was written.
      if (error === undefined) this.written.push(chunk.toString());
      done(error);
    };
    if (this.isSlow) this.#held = take;
    else take();
  }

  goOn(error?: Error): void {
    const held = this.#held;
    this.#held = null;
    held?.(error);
  }
}

function relayTo(
  sink: Sink,
  buffers = new ReadBuffers(),
): { read: (text: string) => boolean; relay: Relay } {
  const relay = new Relay(sink as unknown as Socket, buffers, () => undefined);
  const { onread } = relay;
  const { buffer } = onread;
  if (typeof buffer !== 'function') throw new Error('one buffer for all reads');
  const read = (text: string): boolean => {
    const into = buffer();
    return onread.callback(Buffer.from(into.buffer, into.byteOffset).write(text), into);
  };
  return { read, relay };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('what is read', () => {
  it('is read into one buffer as long as it is taken at once', async () => {
    const buffers = new ReadBuffers();
    const [sink, first] = [new Sink(), buffers.take()];
    buffers.give(first);
    const { read, relay } = relayTo(sink, buffers);
    for (const text of ['one', 'two', 'three']) expect(read(text)).toBe(true);
    await settled();
    expect(sink.written).toEqual(['one', 'two', 'three']);
    relay.end();
    expect(buffers.take()).toBe(first);
  });

  it('is not read over what a slow sink has not taken yet', async () => {
    const sink = new Sink();
    sink.isSlow = true;
    const { read } = relayTo(sink);
    expect(read('one')).toBe(false);
    // Should the engine have read once more before it heard of that.
    read('two');
    for (let times = 0; times < 2; times += 1) {
      sink.goOn();
      await settled();
    }
    expect(sink.written).toEqual(['one', 'two']);
  });

  it('goes on once a slow sink has taken it, however little that was', async () => {
    const sink = new Sink();
    sink.isSlow = true;
    const { read, relay } = relayTo(sink);
    let resumed = 0;
    relay.begin({ on: () => undefined, resume: () => (resumed += 1) } as unknown as Socket);
    expect(read('a')).toBe(false);
    expect(resumed).toBe(0);
    sink.goOn();
    await settled();
    expect(resumed).toBe(1);
    sink.isSlow = false;
    expect(read('b')).toBe(true);
    expect(sink.written).toEqual(['a', 'b']);
  });

  it('is read into that buffer again once it was taken', async () => {
    const buffers = new ReadBuffers();
    const sink = new Sink();
    sink.isSlow = true;
    const { read, relay } = relayTo(sink, buffers);
    read('one');
    sink.goOn();
    await settled();
    relay.end();
    const free = [buffers.take(), buffers.take()];
    expect(free.map((buffer) => buffer.toString('latin1', 0, 3))).toContain('one');
  });

  it('is not read into the buffer of a sink that broke before it took it', async () => {
    const buffers = new ReadBuffers();
    const sink = new Sink().on('error', () => undefined);
    sink.isSlow = true;
    const { read } = relayTo(sink, buffers);
    read('one');
    sink.goOn(new Error('it broke'));
    await settled();
    expect(buffers.take().toString('latin1', 0, 3)).not.toBe('one');
  });

  it('is not asked for any more where the sink takes nothing any more', async () => {
    const sink = new Sink();
    const { read } = relayTo(sink);
    expect(read('all')).toBe(true);
    sink.end();
    expect(read('late')).toBe(false);
    await settled();
    expect(sink.written).toEqual(['all']);
  });

  it('keeps no more buffers for later than a few', () => {
    const buffers = new ReadBuffers();
    const given = Array.from({ length: 100 }, () => Buffer.alloc(1));
    for (const buffer of given) buffers.give(buffer);
    const taken = Array.from({ length: 100 }, () => buffers.take());
    expect(taken.filter((buffer) => buffer.length === 1)).toHaveLength(64);
  });
});
