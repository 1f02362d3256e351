// Follows the frames of a WebSocket as they pass by, to know where one ends: only there can another be put in.

/** The longest header of a frame: two bytes, eight of length and four of mask (RFC 6455, 5.2). */
const HEADER_BYTES = 14;

export class FrameFollower {
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerBytes = 0;
  /** Of the present frame, beyond its header. */
  #leftBytes = 0;

  /** Whether the last frame is whole, and none has begun. */
  get isBetween(): boolean {
    return this.#headerBytes === 0 && this.#leftBytes === 0;
  }

  /** Follows the chunk to its end. */
  pass(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) at = this.#step(chunk, at);
  }

  /** Follows it to the end of the present frame; returns how many bytes that are, all where it ends later. */
  passToEnd(chunk: Uint8Array): number {
    let at = 0;
    while (at < chunk.length && !this.isBetween) at = this.#step(chunk, at);
    return at;
  }

  /** Takes one byte of a header, or as much of the rest as there is. */
  #step(chunk: Uint8Array, at: number): number {
    if (this.#leftBytes > 0) {
      const taken = Math.min(this.#leftBytes, chunk.length - at);
      this.#leftBytes -= taken;
      return at + taken;
    }
    this.#header[this.#headerBytes] = chunk[at] ?? 0;
    this.#headerBytes += 1;
    if (this.#headerBytes >= 2 && this.#headerBytes === headerLength(this.#header)) {
      this.#leftBytes = payloadLength(this.#header);
      this.#headerBytes = 0;
    }
    return at + 1;
  }
}

function headerLength(header: Uint8Array): number {
  const second = header[1] ?? 0;
  const code = second & 0x7f;
  const extended = code === 127 ? 8 : code === 126 ? 2 : 0;
  return 2 + extended + (second >= 0x80 ? 4 : 0);
}

function payloadLength(header: Uint8Array): number {
  const code = (header[1] ?? 0) & 0x7f;
  if (code < 126) return code;
  const bytes = header.subarray(2, code === 126 ? 4 : 10);
  return bytes.reduce((length, byte) => length * 256 + byte, 0);
}

/** A close frame that says `going away` (RFC 6455, 7.4.1), as a server or a client sends it. */
export function goingAway(from: 'server' | 'client'): Uint8Array {
  const [high, low] = [1001 >> 8, 1001 & 0xff];
  // A mask of zeros is one: it changes nothing, and a client has to have one.
  return from === 'server'
    ? Uint8Array.of(0x88, 2, high, low)
    : Uint8Array.of(0x88, 0x82, 0, 0, 0, 0, high, low);
}
