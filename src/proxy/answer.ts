// The answer of the primary on its way to the client: short ones go as a whole, so that they can still be repeated.
import type { ServerResponse } from 'node:http';
import type { AnswerHead } from './attempt.ts';
import { answerHeaders, valueOf } from './headers.ts';
import type { AnswerNotes } from './headers.ts';

/** The longest body that is kept back until all of it is here. */
const SHORT_BYTES = 64 * 1024;

export interface AnswerTerms extends AnswerNotes {
  /** No further request is taken over this connection. */
  readonly closes: boolean;
}

export interface AnswerListener {
  /** The client takes more of it. */
  onDrain(): void;
}

export class Answer {
  readonly #response: ServerResponse;
  readonly #listener: AnswerListener;
  #kept: Buffer[] | null = null;
  #head: AnswerHead | null = null;
  #terms: AnswerTerms | null = null;
  #awaitsDrain = false;
  #hasEnded = false;

  constructor(response: ServerResponse, listener: AnswerListener) {
    this.#response = response;
    this.#listener = listener;
  }

  /** Whether the client has got any of it. */
  get hasBegun(): boolean {
    return this.#response.headersSent;
  }

  begin(head: AnswerHead, method: string, terms: AnswerTerms): void {
    this.#head = head;
    this.#terms = terms;
    this.#kept = [];
    if (!isShort(head, method)) this.#writeKept();
  }

  /** False: no more until the client has taken some. */
  data(chunk: Buffer): boolean {
    if (this.#kept === null) return this.#write(chunk);
    this.#kept.push(chunk);
    return true;
  }

  end(): void {
    this.#hasEnded = true;
    this.#writeHead();
    if (this.#kept === null) this.#response.end();
    else endWith(this.#response, this.#kept);
  }

  /** What came is forgotten: another attempt follows. */
  reset(): void {
    this.#kept = null;
    this.#head = null;
  }

  #write(chunk: Buffer): boolean {
    const takesMore = this.#response.write(chunk);
    // Hardly any answer is so long that it has to wait: no listener for the others.
    if (!takesMore && !this.#awaitsDrain) {
      this.#awaitsDrain = true;
      this.#response.once('drain', () => {
        this.#awaitsDrain = false;
        if (!this.#hasEnded) this.#listener.onDrain();
      });
    }
    return takesMore;
  }

  #writeKept(): void {
    this.#writeHead();
    // Who waits for the first of many parts is to see that they come.
    this.#response.flushHeaders();
    this.#kept = null;
  }

  #writeHead(): void {
    const head = this.#head;
    const terms = this.#terms;
    if (head === null || terms === null || this.#response.headersSent) return;
    const headers = answerHeaders(head.headers, terms);
    if (terms.closes) headers.push('connection', 'close');
    this.#response.writeHead(head.status, statusText(head), headers);
  }
}

/** A few bytes go as characters, one for each: the server writes them together with the headers, in one piece. */
function endWith(response: ServerResponse, chunks: readonly Buffer[]): void {
  const [first] = chunks;
  if (first === undefined) response.end();
  else if (chunks.length > 1) response.end(Buffer.concat(chunks));
  else if (first.length > FEW_BYTES) response.end(first);
  else {
    // By `end` alone they would be gathered with the nothing that comes after them.
    response.cork();
    response.write(first.toString('latin1'), 'latin1');
    response.uncork();
    response.end();
  }
}

/** Copying more than that takes longer than a second piece. */
const FEW_BYTES = 4096;

function isShort(head: AnswerHead, method: string): boolean {
  if (method === 'HEAD' || head.status === 204 || head.status === 304) return true;
  const length = valueOf(head.headers, 'content-length');
  return length !== undefined && Number(length) <= SHORT_BYTES;
}

/** Whether it goes on for as long as the client listens; ended before its length it would take a part of the next one. */
export function isEventStream({ headers }: AnswerHead): boolean {
  const type = valueOf(headers, 'content-type')?.toLowerCase() ?? '';
  return type.startsWith('text/event-stream') && valueOf(headers, 'content-length') === undefined;
}

/** As the primary put it, where that can be written. */
function statusText({ statusText: text }: AnswerHead): string {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(text) ? text : '';
}
