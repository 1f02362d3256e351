// One attempt to have a request answered by the primary: its answer in parts, or why there is none.
import type { Duplex, Readable } from 'node:stream';
import { errors } from 'undici';
import type { Dispatcher, Pool } from 'undici';
import type { SentHeaders } from './headers.ts';
import type { Patience, PatienceLimits, Waiting } from './patience.ts';

export interface AttemptOrder {
  readonly method: string;
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: string[];
  readonly body: Buffer | Readable | null;
  /** What it asks to change to, if the primary agrees. */
  readonly upgrade: 'websocket' | null;
  /** Nothing follows it over its connection before its answer has ended: none is to be woken for that. */
  readonly blocking: false;
}

export interface AnswerHead {
  readonly headers: SentHeaders;
  readonly status: number;
  readonly statusText: string;
}

/**
 * - `unreached`: there was no connection, and nothing was sent
 * - `died`: the connection broke
 * - `too-late`: no answer began in time
 * - `garbage`: what came is no HTTP
 * - `bad-request`: it is none that could be sent
 */
export type AttemptFailure = 'unreached' | 'died' | 'too-late' | 'garbage' | 'bad-request';

/** After `onEnd`, `onUpgrade` or `onFailure` nothing more is told; nothing at all after `abort`. */
export interface AttemptListener {
  /** There is a connection for it. */
  onConnected(): void;
  /** Whether any of the body was given to this attempt, as far as there is one: what has none of it yet was not sent. */
  hasGivenBody(): boolean;
  /** How many parts of the body this attempt and those before it were given; null: the client has to send more first. */
  handedOn(): number | null;
  onHead(head: AnswerHead): void;
  /** False: no more until `resume`. */
  onData(chunk: Buffer): boolean;
  onEnd(): void;
  onUpgrade(head: AnswerHead, socket: Duplex): void;
  /** @param wasSent whether anything of it may have come to the primary */
  onFailure(failure: AttemptFailure, wasSent: boolean): void;
}

/** What an attempt goes by. */
export interface AttemptWay {
  readonly patience: Patience;
  readonly limits: PatienceLimits;
}

/** Itself what undici calls: an object and six functions for each request would be made to be thrown away. */
export class Attempt implements Dispatcher.DispatchHandler, Waiting {
  index: number | null = null;
  turn = 0;
  readonly #listener: AttemptListener;
  readonly #way: AttemptWay;
  /** The round in which the primary was last seen to get on, or could not. */
  #since = 0;
  #handedOn: number | null = 0;
  #isPaused = false;
  #controller: Dispatcher.DispatchController | null = null;
  #isConnected = false;
  #status = 0;
  #isOver = false;

  constructor(pool: Pool, order: AttemptOrder, listener: AttemptListener, way: AttemptWay) {
    this.#listener = listener;
    this.#way = way;
    try {
      pool.dispatch(order, this);
    } catch {
      this.#fail('bad-request');
    }
  }

  /** Whether anything of it may have come to the primary. */
  get wasSent(): boolean {
    return this.#isConnected && this.#listener.hasGivenBody();
  }

  /** Gives it up: its connection is closed. */
  abort(): void {
    this.#settle();
    this.#controller?.abort(GIVEN_UP);
  }

  /** The listener takes data again. */
  resume(): void {
    if (this.#isOver) return;
    this.#isPaused = false;
    this.#since = this.#way.patience.round;
    // A response that is read just now may have led here, and undici reads one at a time.
    process.nextTick(() => {
      if (!this.#isOver && !this.#isPaused) this.#controller?.resume();
    });
  }

  /** Waits on where the primary has given a sign, or is not what is waited for. */
  review(): void {
    // It may have ended because of another that was reviewed before it.
    if (this.#isOver) return;
    const { patience, limits } = this.#way;
    const hasBegun = this.#status > 0;
    if (this.#isPaused || (!hasBegun && this.#getsOn())) {
      this.#since = patience.round;
      return;
    }
    const limitMs = hasBegun ? limits.idleTimeoutMs : limits.answerTimeoutMs;
    if (!patience.isOver(this.#since, limitMs)) return;
    // Closed first: what follows it may go to the same primary.
    this.abort();
    this.#listener.onFailure(hasBegun ? 'died' : 'too-late', this.wasSent);
  }

  /** Whether it has taken some of the request since the last look, or could, if the client sent any. */
  #getsOn(): boolean {
    const before = this.#handedOn;
    this.#handedOn = this.#listener.handedOn();
    return this.#handedOn === null || this.#handedOn !== before;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isOver) {
      controller.abort(GIVEN_UP);
      return;
    }
    this.#isConnected = true;
    this.#since = this.#way.patience.round;
    this.#way.patience.add(this);
    this.#listener.onConnected();
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: SentHeaders,
    statusText = '',
  ): void {
    if (this.#isOver) return;
    this.#since = this.#way.patience.round;
    // What comes before the answer itself is for this connection, or a hint.
    if (status < 200) return;
    this.#status = status;
    this.#listener.onHead({ status, statusText, headers });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isOver) return;
    this.#since = this.#way.patience.round;
    if (this.#listener.onData(chunk)) return;
    this.#isPaused = true;
    controller.pause();
  }

  onResponseEnd(): void {
    this.#end();
  }

  onRequestUpgrade(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: SentHeaders,
    socket: Duplex,
  ): void {
    if (this.#isOver) {
      socket.destroy();
      return;
    }
    this.#settle();
    this.#listener.onUpgrade({ status, statusText: '', headers }, socket);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    // It says how long the body is that it leaves out, and the client below misses that one.
    if (this.#status === 304 && isOfOtherLength(error)) this.#end();
    else this.#fail(this.#failureOf(error));
  }

  #end(): void {
    if (this.#isOver) return;
    this.#settle();
    this.#listener.onEnd();
  }

  #settle(): void {
    this.#isOver = true;
    this.#way.patience.delete(this);
  }

  #fail(failure: AttemptFailure): void {
    if (this.#isOver) return;
    this.#settle();
    this.#listener.onFailure(failure, this.wasSent);
  }

  #failureOf(error: Error): AttemptFailure {
    const code = 'code' in error ? String(error.code) : '';
    if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH') {
      return 'bad-request';
    }
    if (!this.#isConnected) return 'unreached';
    // A connection that ends within chunks is one that broke off.
    const isMisread = error instanceof errors.HTTPParserError && !error.message.includes('EOF');
    // Before its head has ended no length is missed: what is wrong is the head.
    const isMeaningless = (this.#status === 204 || this.#status === 0) && isOfOtherLength(error);
    return isMisread ||
      isMeaningless ||
      isRefused(error) ||
      /^(UND_ERR_HEADERS_OVERFLOW|ERR_)/.test(code)
      ? 'garbage'
      : 'died';
  }
}

function isOfOtherLength(error: Error): boolean {
  return error instanceof errors.ResponseContentLengthMismatchError;
}

/** A `100 Continue` or a change of protocol that nobody has asked for. It has no code of its own. */
function isRefused(error: Error): boolean {
  return error instanceof errors.SocketError && /^bad (response|upgrade)$/.test(error.message);
}

const GIVEN_UP = new Error('given up');
