// Lets in who has an authorized key: ZeroMQ asks it at each handshake, https://rfc.zeromq.org/spec/27/ (ZAP).
import { Reply } from 'zeromq';
import type { Context } from 'zeromq';
import type { AuthorizedKeys } from '../keys/authorized-keys.ts';
import { encodeKey } from '../keys/z85.ts';
import type { Tally } from './counters.ts';
import { readMessages, sendOrDrop } from './sockets.ts';

/** What the sockets it is asked about say of themselves; without a domain libzmq may not ask. */
export const ZAP_DOMAIN = 'failover';

export class Doorkeeper {
  readonly #socket: Reply;
  readonly #authorized: AuthorizedKeys;
  readonly #tally: Tally;

  /** @param context one that no other handler is in: libzmq asks the one of its context */
  constructor(context: Context, authorized: AuthorizedKeys, tally: Tally) {
    this.#authorized = authorized;
    this.#tally = tally;
    this.#socket = new Reply({ context, linger: 0 });
    this.#socket.bindSync('inproc://zeromq.zap.01');
    void readMessages(this.#socket, (frames) => {
      this.#answer(frames);
    });
  }

  close(): void {
    this.#socket.close();
  }

  #answer(frames: readonly Buffer[]): void {
    const [version = EMPTY, request = EMPTY, , address = EMPTY] = frames;
    const [mechanism, credential] = frames.slice(5);
    const isKey = mechanism?.toString() === 'CURVE' && credential?.length === KEY_BYTES;
    const key = isKey ? encodeKey(credential) : null;
    const isLetIn = key !== null && this.#authorized.has(key);
    const { problem } = this.#authorized;
    if (problem !== null) this.#tally.trouble('authorized-keys', problem);
    if (!isLetIn) this.#turnAway(key, address.toString('latin1'));
    const [code, text] = isLetIn ? ['200', 'OK'] : ['400', 'unknown key'];
    const answer = [version, request, code, text, '', ''];
    sendOrDrop(this.#socket, answer, () => undefined);
  }

  #turnAway(key: string | null, address: string): void {
    const from = /^[0-9A-Fa-f.:]{1,45}$/.test(address) ? address : 'somewhere';
    const sentence = `a connection from ${from} was refused: its key ${key ?? ''} is not authorized`;
    this.#tally.distrusted('unauthorized-key', sentence);
  }
}

const KEY_BYTES = 32;
const EMPTY: Buffer = Buffer.alloc(0);
