// A WebSocket between client and primary: bytes both ways, and a close frame to both when the primary changes.
import type { Duplex } from 'node:stream';
import type { Clock } from '../runtime/ports.ts';
import { FrameFollower, goingAway } from './frames.ts';

export interface TunnelOptions {
  readonly client: Duplex;
  readonly primary: Duplex;
  readonly clock: Clock;
  /** How long nothing may pass, ms. */
  readonly idleTimeoutMs: number;
  /** Called once, when both are closed. */
  readonly onEnd: () => void;
}

/** How long the two sides may take to end after they were told, ms. */
const CLOSE_MS = 1_000;

export class Tunnel {
  readonly #options: TunnelOptions;
  readonly #toClient = new FrameFollower();
  readonly #toPrimary = new FrameFollower();
  #isClosing = false;
  #openEnds = 2;
  #idleAtMs: number;
  #cancel: () => void = () => undefined;

  constructor(options: TunnelOptions) {
    this.#options = options;
    const { client, primary, clock, idleTimeoutMs } = options;
    this.#idleAtMs = clock.now() + idleTimeoutMs;
    this.#relay(primary, client, this.#toClient, 'server');
    this.#relay(client, primary, this.#toPrimary, 'client');
    this.#watch();
  }

  /** Tells both sides to go away, each between two frames, and ends soon. */
  close(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    const { client, primary } = this.#options;
    this.#endIfBetween(client, this.#toClient, 'server');
    this.#endIfBetween(primary, this.#toPrimary, 'client');
    this.#destroyAfter(CLOSE_MS);
  }

  /** The primary is gone: the client is told, unless it waits for the rest of a frame. */
  cut(): void {
    const { client, primary } = this.#options;
    primary.destroy();
    this.#isClosing = true;
    if (this.#toClient.isBetween) this.#endIfBetween(client, this.#toClient, 'server');
    else client.destroy();
    this.#destroyAfter(CLOSE_MS);
  }

  #relay(source: Duplex, sink: Duplex, frames: FrameFollower, from: 'server' | 'client'): void {
    source.on('data', (chunk: Buffer) => {
      this.#idleAtMs = this.#options.clock.now() + this.#options.idleTimeoutMs;
      if (this.#isClosing) {
        this.#passRest(chunk, sink, frames, from);
        return;
      }
      frames.pass(chunk);
      if (!sink.write(chunk)) source.pause();
    });
    sink.on('drain', () => source.resume());
    source.on('end', () => sink.end());
    source.on('error', () => sink.destroy());
    source.on('close', () => {
      if (!source.readableEnded) sink.destroy();
      this.#openEnds -= 1;
      if (this.#openEnds > 0) return;
      this.#cancel();
      this.#options.onEnd();
    });
  }

  /** What comes after the frame that had begun is not passed on. */
  #passRest(chunk: Buffer, sink: Duplex, frames: FrameFollower, from: 'server' | 'client'): void {
    if (sink.writableEnded || frames.isBetween) return;
    sink.write(chunk.subarray(0, frames.passToEnd(chunk)));
    this.#endIfBetween(sink, frames, from);
  }

  #endIfBetween(sink: Duplex, frames: FrameFollower, from: 'server' | 'client'): void {
    if (!frames.isBetween || sink.writableEnded) return;
    sink.end(goingAway(from));
    // Its answer is nobody's any more.
    sink.resume();
  }

  #destroyAfter(limitMs: number): void {
    const { clock, client, primary } = this.#options;
    this.#cancel();
    this.#cancel = clock.wakeAt(clock.now() + limitMs, () => {
      client.destroy();
      primary.destroy();
    });
  }

  #watch(): void {
    const { clock } = this.#options;
    this.#cancel = clock.wakeAt(this.#idleAtMs, () => {
      if (clock.now() < this.#idleAtMs) this.#watch();
      else this.close();
    });
  }
}
