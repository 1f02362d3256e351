// One attempt to have a request answered by the primary: its answer in parts, or why there is none.
import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import { errors } from 'undici';
import type { Dispatcher, Pool } from 'undici';

export interface AttemptOrder {
  readonly method: string;
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: string[];
  readonly body: Buffer | Readable | null;
  /** To a WebSocket, if the primary agrees. */
  readonly upgrades: boolean;
}

export interface AnswerHead {
  readonly status: number;
  readonly statusText: string;
  /** As they were sent, names and values in turn. */
  readonly headers: readonly string[];
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
  /** From now on it may have been sent. */
  onSent(): void;
  onHead(head: AnswerHead): void;
  /** False: no more until `resume`. */
  onData(chunk: Buffer): boolean;
  onEnd(): void;
  onUpgrade(head: AnswerHead, socket: Duplex): void;
  /** @param wasSent whether anything of it may have come to the primary */
  onFailure(failure: AttemptFailure, wasSent: boolean): void;
}

export class Attempt {
  readonly #listener: AttemptListener;
  #controller: Dispatcher.DispatchController | null = null;
  #wasSent = false;
  #status = 0;
  #isOver = false;

  constructor(pool: Pool, order: AttemptOrder, listener: AttemptListener) {
    this.#listener = listener;
    const { method, path, headers, body, upgrades } = order;
    const upgrade = upgrades ? 'websocket' : null;
    try {
      // Any method is passed on, also one that the type does not name.
      const known = method;
      pool.dispatch({ method: known, path, headers, body, upgrade }, this.#handler());
    } catch {
      this.#fail('bad-request');
    }
  }

  /** Whether anything of it may have come to the primary. */
  get wasSent(): boolean {
    return this.#wasSent;
  }

  /** Gives it up: its connection is closed. */
  abort(): void {
    this.#isOver = true;
    this.#controller?.abort(GIVEN_UP);
  }

  /** The listener takes data again. */
  resume(): void {
    if (!this.#isOver) this.#controller?.resume();
  }

  #handler(): Dispatcher.DispatchHandler {
    return {
      onRequestStart: (controller) => {
        this.#controller = controller;
        if (this.#isOver) {
          controller.abort(GIVEN_UP);
          return;
        }
        this.#wasSent = true;
        this.#listener.onSent();
      },
      onResponseStart: (controller, status, _, statusText = '') => {
        // What comes before the answer itself is for this connection, or a hint.
        if (this.#isOver || status < 200) return;
        this.#status = status;
        this.#listener.onHead({ status, statusText, headers: rawHeaders(controller) });
      },
      onResponseData: (controller, chunk) => {
        if (!this.#isOver && !this.#listener.onData(chunk)) controller.pause();
      },
      onResponseEnd: () => {
        this.#end();
      },
      onRequestUpgrade: (controller, status, _headers: IncomingHttpHeaders, socket) => {
        if (this.#isOver) {
          socket.destroy();
          return;
        }
        this.#isOver = true;
        const headers = rawHeaders(controller);
        this.#listener.onUpgrade({ status, statusText: '', headers }, socket);
      },
      onResponseError: (_, error) => {
        // It says how long the body is that it leaves out, and the client below misses that one.
        if (this.#status === 304 && isOfOtherLength(error)) this.#end();
        else this.#fail(this.#failureOf(error));
      },
    };
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#listener.onEnd();
  }

  #fail(failure: AttemptFailure): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#listener.onFailure(failure, this.#wasSent);
  }

  #failureOf(error: Error): AttemptFailure {
    const code = 'code' in error ? String(error.code) : '';
    if (code === 'UND_ERR_HEADERS_TIMEOUT') return 'too-late';
    if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH') {
      return 'bad-request';
    }
    if (!this.#wasSent) return 'unreached';
    // A connection that ends within chunks is one that broke off.
    const isMisread = error instanceof errors.HTTPParserError && !error.message.includes('EOF');
    const isMeaningless = this.#status === 204 && isOfOtherLength(error);
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

/** One byte of a header is one character, whatever it means. */
function rawHeaders({ rawHeaders: raw }: Dispatcher.DispatchController): string[] {
  if (!Array.isArray(raw)) return [];
  return raw.map((part) => (typeof part === 'string' ? part : part.toString('latin1')));
}
