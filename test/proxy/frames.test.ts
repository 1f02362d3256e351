// Where the frames of a WebSocket end, however their bytes are cut into chunks.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameFollower, goingAway } from '../../src/proxy/frames.ts';

/** A frame with a payload of so many bytes. */
function frameOf(length: number, isMasked: boolean): Uint8Array {
  const mask = isMasked ? 0x80 : 0;
  const head =
    length < 126
      ? [0x82, mask | length]
      : length < 65_536
        ? [0x82, mask | 126, length >> 8, length & 0xff]
        : [
            0x82,
            mask | 127,
            0,
            0,
            0,
            0,
            length >>> 24,
            (length >> 16) & 0xff,
            (length >> 8) & 0xff,
            length & 0xff,
          ];
  return Uint8Array.from([...head, ...(isMasked ? [1, 2, 3, 4] : []), ...new Uint8Array(length)]);
}

const lengths = fc.oneof(
  fc.integer({ min: 0, max: 300 }),
  fc.constantFrom(125, 126, 65_535, 65_536),
);

describe('a follower of frames', () => {
  it('is between two of them exactly where one ends', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(lengths, fc.boolean()), { maxLength: 5 }),
        fc.nat(),
        (given, cut) => {
          const follower = new FrameFollower();
          for (const [length, isMasked] of given) {
            const frame = frameOf(length, isMasked);
            const at = cut % frame.length;
            follower.pass(frame.subarray(0, at));
            expect(follower.isBetween).toBe(at === 0);
            follower.pass(frame.subarray(at));
            expect(follower.isBetween).toBe(true);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('finds the end of a frame in the middle of a chunk', () => {
    const follower = new FrameFollower();
    follower.pass(frameOf(10, true).subarray(0, 5));
    const rest = [...frameOf(10, true).subarray(5), ...frameOf(3, true)];
    expect(follower.passToEnd(Uint8Array.from(rest))).toBe(11);
    expect(follower.isBetween).toBe(true);
  });

  it('takes a close frame of its own for one', () => {
    for (const from of ['server', 'client'] as const) {
      const follower = new FrameFollower();
      follower.pass(goingAway(from));
      expect(follower.isBetween).toBe(true);
    }
  });
});
