// One connection of a client in tcp mode: it waits for the primary, and is then spliced to it, byte for byte.
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { parseTarget } from '../config/proxy-address.ts';
import type { Clock } from '../runtime/ports.ts';
import type { Gate, Place, Visitor, HoldFailure } from './gate.ts';
import type { PrimaryTerm } from './primary-source.ts';
import { Relay } from './read-buffers.ts';
import type { ReadBuffers } from './read-buffers.ts';
import type { RefusalCode } from './refusals.ts';

/** done: both sides have ended it. cut: it broke. gone: its client left while it was held. refused: it never went. */
export type SpliceEnd = 'done' | 'cut' | 'gone' | 'refused';

export interface SpliceSite {
  readonly gate: Gate;
  readonly clock: Clock;
  readonly buffers: ReadBuffers;
  /** How long nothing may come from either side, ms. */
  readonly idleTimeoutMs: number;
  /** After how long without a word the system is to look whether both ends are still there, and how often, ms. */
  readonly watchAfterMs: number;
  readonly onRefused: (code: RefusalCode) => void;
  /** Called once. */
  readonly onEnd: (how: SpliceEnd) => void;
}

/** One on which the primary spoke last is between two requests, once it has been quiet for this long, ms. */
const QUIET_MS = 50;

/** A connection has no end of its own: one that is never quiet is ended so long after it was told to, ms. */
const DRAIN_MS = 4_000;

/** How long the primary may take to accept, ms: one that can't is tried again. */
const CONNECT_MS = 2_000;

export class Splice implements Visitor {
  readonly #client: Socket;
  readonly #site: SpliceSite;
  #place: Place | null = null;
  #primary: Socket | null = null;
  #isSpliced = false;
  #keptBytes = 0;
  #lastSpeaker: 'client' | 'primary' | null = null;
  #spokeAtMs = 0;
  #closeBeforeMs: number | null = null;
  #cancel: () => void = () => undefined;
  #hasEnded = false;

  constructor(client: Socket, site: SpliceSite) {
    this.#client = client;
    this.#site = site;
    client.on('error', () => {
      this.#broken();
    });
    client.on('close', () => {
      this.#broken();
    });
  }

  start(): void {
    const { gate, idleTimeoutMs } = this.#site;
    this.#client.setTimeout(idleTimeoutMs, () => {
      this.#end('cut');
    });
    // What it says meanwhile is kept, within the limits: reading is how its end is noticed.
    this.#client.on('readable', this.#keep);
    const place = gate.enter(this);
    if (place === null) this.#refuse('hold-full');
    else if (!this.#hasEnded) this.#place = place;
  }

  go(term: PrimaryTerm, place: Place): void {
    this.#place = place;
    const { host, port } = parseTarget(term.target);
    // Most is said by the primary; what comes from a client was read already where it was held.
    const relay = new Relay(this.#client, this.#site.buffers, () => {
      this.#heard('primary');
    });
    const { onread } = relay;
    const primary = connect({ host, port, onread, allowHalfOpen: true, noDelay: true });
    this.#primary = primary;
    primary.setTimeout(CONNECT_MS, () => {
      if (this.#isSpliced) this.#watch(primary);
      else primary.destroy(new Error('it does not accept'));
    });
    primary.on('connect', () => {
      if (this.#primary === primary) this.#splice(primary, relay);
    });
    // What follows from an error is decided when the connection is closed.
    primary.on('error', () => undefined);
    primary.on('close', (hasError) => {
      relay.end();
      if (this.#primary !== primary) return;
      this.#primary = null;
      if (this.#isSpliced) this.#closedByPrimary(hasError);
      else this.#site.gate.again(place, { unreached: true });
    });
  }

  refuse(why: HoldFailure): void {
    this.#refuse(why);
  }

  /** The primary is about to step down. */
  close(): void {
    if (this.#closeBeforeMs !== null) return;
    this.#closeBeforeMs = this.#site.clock.now() + DRAIN_MS;
    // It has not been passed on yet, and waits for the next one.
    if (this.#isSpliced) this.#closeWhenQuiet();
    else if (this.#primary !== null) this.#primary.destroy();
  }

  /** The primary is gone: a clean end could be taken for a whole answer. */
  cut(): void {
    if (!this.#isSpliced && this.#place !== null && this.#primary !== null) {
      // Nothing was sent: it goes to the next one.
      this.#primary.destroy();
      return;
    }
    this.#end('cut');
  }

  readonly #keep = (): void => {
    const bytes = this.#client.readableLength;
    if (this.#isSpliced || bytes <= this.#keptBytes) return;
    if (this.#site.gate.reserve(bytes - this.#keptBytes)) this.#keptBytes = bytes;
    else this.#refuse('hold-full');
  };

  #splice(primary: Socket, relay: Relay): void {
    const { gate } = this.#site;
    const client = this.#client;
    this.#isSpliced = true;
    this.#closeBeforeMs = null;
    primary.setTimeout(this.#site.watchAfterMs);
    gate.reached();
    gate.answered();
    this.#free();
    client.off('readable', this.#keep);
    // Half-open as its two sides are: the end of one is passed on, and the other goes on.
    relay.begin(primary);
    client.on('data', () => {
      this.#heard('client');
    });
    client.pipe(primary);
  }

  /** The system breaks a connection whose end is gone without a word. Most are over before, and spared the calls. */
  #watch(primary: Socket): void {
    const { watchAfterMs } = this.#site;
    primary.setTimeout(0);
    for (const socket of [primary, this.#client]) socket.setKeepAlive(true, watchAfterMs);
  }

  #heard(speaker: 'client' | 'primary'): void {
    this.#lastSpeaker = speaker;
    this.#spokeAtMs = this.#site.clock.now();
  }

  #closedByPrimary(hasError: boolean): void {
    const isWhole = !hasError && this.#client.writableEnded;
    if (!isWhole) this.#end('cut');
    else if (this.#client.destroyed) this.#end('done');
    // What it said last is still on its way.
    else if (this.#client.readableEnded) this.#client.destroySoon();
    else
      this.#client.end(() => {
        this.#client.destroySoon();
      });
  }

  #closeWhenQuiet(): void {
    const { clock } = this.#site;
    if (this.#hasEnded || this.#closeBeforeMs === null) return;
    const quietAtMs = this.#lastSpeaker === 'client' ? Infinity : this.#spokeAtMs + QUIET_MS;
    const atMs = Math.min(quietAtMs, this.#closeBeforeMs);
    if (clock.now() >= atMs) {
      this.#end('done');
      return;
    }
    this.#cancel();
    const lookAtMs = Math.min(atMs, clock.now() + QUIET_MS);
    this.#cancel = clock.wakeAt(lookAtMs, () => {
      this.#closeWhenQuiet();
    });
  }

  /** The client has closed, or its connection broke. */
  #broken(): void {
    if (this.#isSpliced) this.#end(this.#client.errored === null ? 'done' : 'cut');
    else this.#end('gone');
  }

  #refuse(code: RefusalCode): void {
    if (this.#hasEnded) return;
    this.#site.onRefused(code);
    this.#end('refused');
  }

  #end(how: SpliceEnd): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#cancel();
    this.#free();
    const { gate, onEnd } = this.#site;
    const primary = this.#primary;
    this.#primary = null;
    if (how === 'done') {
      for (const socket of [primary, this.#client]) {
        // What was said last is still on its way, to one that may take nothing any more.
        socket?.setTimeout(DRAIN_MS, () => socket.destroy());
        socket?.destroySoon();
      }
    } else {
      primary?.resetAndDestroy();
      this.#client.resetAndDestroy();
    }
    if (this.#place !== null) gate.leave(this.#place);
    onEnd(how);
  }

  #free(): void {
    this.#site.gate.free(this.#keptBytes);
    this.#keptBytes = 0;
  }
}
