// Asks one peer, one request at a time: what there is to say meanwhile is said right after.
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { BODY_LIMIT, HEARTBEAT_PATH } from './peer-message.ts';
import { readBody } from './read-body.ts';
import { SIGNATURE_HEADER } from './signature.ts';

export interface SignedBody {
  readonly body: string;
  readonly signature: string;
}

/** What one exchange takes from the node, and what it gives. */
export interface Exchange {
  /** What is to be said now; `offered`: what the peer's last answer offered. */
  compose(offered: string | null): SignedBody & { readonly seq: number; readonly saidAt: number };
  /** Takes the answer to that; null: it counts for nothing. */
  take(answer: {
    readonly body: Buffer;
    readonly signature: unknown;
    readonly seq: number;
    readonly saidAt: number;
  }): { readonly offers: string; readonly taken: boolean } | null;
  /** @param status what HTTP says of it; null: there was no answer, or one that counts for nothing */
  failed(status: number | null): void;
}

export class PeerLink {
  readonly #url: URL;
  readonly #timeoutMs: number;
  readonly #exchange: Exchange;
  readonly #agent: HttpAgent;
  #offered: string | null = null;
  #underWay: Promise<void> | null = null;
  #next: Promise<void> | null = null;
  #isClosed = false;

  /** @param base the address of the peer, to which the path of heartbeats is added */
  constructor(base: string, timeoutMs: number, exchange: Exchange) {
    this.#url = new URL(base.replace(/\/+$/, '') + HEARTBEAT_PATH);
    this.#timeoutMs = timeoutMs;
    this.#exchange = exchange;
    // A server closes a connection that is idle for some seconds, and what is said right then is lost.
    const options = { keepAlive: timeoutMs < LONGEST_IDLE_MS, maxSockets: 1 };
    this.#agent =
      this.#url.protocol === 'https:' ? new HttpsAgent(options) : new HttpAgent(options);
  }

  /** Resolves once the peer has answered what is said now or right after, or failed to. */
  async say(): Promise<void> {
    // What is under way may have been composed before there was this to say.
    const after = this.#underWay;
    if (after !== null) {
      this.#next ??= after.then(() => {
        this.#next = null;
        return this.#begin();
      });
      return this.#next;
    }
    return this.#begin();
  }

  close(): void {
    this.#isClosed = true;
    this.#agent.destroy();
  }

  #begin(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#underWay ??= this.#exchangeWords().finally(() => {
      this.#underWay = null;
    });
    return this.#underWay;
  }

  async #exchangeWords(): Promise<void> {
    const isTaken = await this.#sayOnce();
    // The first one only fetches what the second has to repeat.
    if (isTaken === false && !this.#isClosed) await this.#sayOnce();
  }

  /** Whether the peer has taken it; null: not known. */
  async #sayOnce(): Promise<boolean | null> {
    const { body, signature, seq, saidAt } = this.#exchange.compose(this.#offered);
    const answer = await this.#post({ body, signature });
    const isAnswer = answer !== null && typeof answer !== 'number';
    const taken = isAnswer ? this.#exchange.take({ ...answer, seq, saidAt }) : null;
    if (taken === null) {
      this.#exchange.failed(typeof answer === 'number' ? answer : null);
      return null;
    }
    this.#offered = taken.offers;
    return taken.taken;
  }

  /** A number: the status of a refusal. Null: no answer, or none in time. */
  #post(
    said: SignedBody,
  ): Promise<{ readonly body: Buffer; readonly signature: unknown } | number | null> {
    return new Promise((resolve) => {
      const request = this.#url.protocol === 'https:' ? httpsRequest : httpRequest;
      const headers = {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(said.body),
        [SIGNATURE_HEADER]: said.signature,
      };
      const sent = request(this.#url, { method: 'POST', agent: this.#agent, headers });
      // An answer that has come while this process was busy is read before it counts as late.
      const timer = setTimeout(() => setImmediate(() => sent.destroy()), this.#timeoutMs);
      let isAnswered = false;
      sent.on('close', () => {
        clearTimeout(timer);
        if (!isAnswered) resolve(null);
      });
      sent.on('error', () => {
        resolve(null);
      });
      sent.on('response', (response: IncomingMessage) => {
        isAnswered = true;
        void readBody(response, BODY_LIMIT).then((body) => {
          const isAnswer = response.statusCode === 200 && typeof body !== 'string';
          if (!isAnswer) sent.destroy();
          const refusal = response.statusCode === 200 ? null : (response.statusCode ?? null);
          const given = response.headers[SIGNATURE_HEADER];
          resolve(isAnswer ? { body, signature: given } : refusal);
        });
      });
      sent.end(said.body);
    });
  }
}

const LONGEST_IDLE_MS = 4_000;
