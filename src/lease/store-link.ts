// One connection to a server, made anew whenever it ends: each request has its time, and none is repeated.
import { setTimeout as wait } from 'node:timers/promises';
import { FailoverError } from '../errors.ts';
import { monotonicNow } from '../runtime/clock.ts';
import { textOf } from './error-text.ts';

/** What every client of a store does. It connects once: whoever has it makes another when it has ended. */
export interface StoreConnection {
  /** Resolves when requests are answered and changes are told of. */
  connect(onChange: () => void): Promise<unknown>;
  /** Closes it at once; what is under way fails. */
  destroy(): void;
  /** Called when it has ended, or fails; perhaps more than once. */
  onEnd(listener: (error: unknown) => void): void;
}

export interface StoreLinkParts<Connection extends StoreConnection> {
  readonly open: () => Connection;
  /** The address for messages: without user and password. */
  readonly shown: string;
  /** How long a connection may take until it can be used, ms. */
  readonly connectTimeoutMs: number;
  /** Somebody has changed something, or may have while there was no connection. */
  readonly onChange: () => void;
  /** What the server itself has answered, where asking again changes nothing; null: it may pass. */
  readonly refusalOf: (error: unknown) => FailoverError | null;
  /** Whether a server that answered so is not the one that is wanted: its name may lead to another by now. */
  readonly isMisled?: (error: unknown) => boolean;
  /** An error of the client in our words, always the same ones; null: its own are good enough. */
  readonly wordsFor?: (error: unknown) => string | null;
}

export class StoreLink<Connection extends StoreConnection> {
  readonly #parts: StoreLinkParts<Connection>;
  #current: Attempt<Connection> | null = null;
  #closed = false;
  #failures = 0;
  /** Nothing is tried before, monotonic, ms. */
  #nextTryAt = 0;
  #problem = 'no connection has been established yet';

  constructor(parts: StoreLinkParts<Connection>) {
    this.#parts = parts;
  }

  /**
   * Does what takes a connection, and gives its answer.
   *
   * @throws FAILOVER_STORE_UNREACHABLE when there was no answer in time, whether or not it was done;
   *   FAILOVER_STORE_REFUSED when the server said no
   */
  async within<Answer>(
    timeoutMs: number,
    act: (connection: Connection) => Promise<Answer>,
  ): Promise<Answer> {
    const limit = new AbortController();
    const untilMs = monotonicNow() + timeoutMs;
    const timeout = wait(timeoutMs, 'timeout' as const, { signal: limit.signal });
    // Ended below, and then nobody waits for it.
    timeout.catch(() => undefined);
    const attempt = this.#attempt(untilMs);
    const work = attempt.then(async (made) => {
      // The asker was told that it failed, and goes by that.
      if (limit.signal.aborted) throw new Error('too late');
      const answer = await act(made.connection).catch((error: unknown) => {
        // This knows more of a connection that has ended than the client does.
        if (this.#current !== made) throw this.#unreachable(this.#problem);
        if (this.#parts.isMisled?.(error) === true) this.#ended(made, error);
        throw error;
      });
      made.answeredAt = monotonicNow();
      return { answer };
    });
    // What comes too late is nobody's.
    work.catch(() => undefined);
    try {
      const first = await Promise.race([work, timeout]);
      if (first !== 'timeout') return first.answer;
    } catch (error) {
      throw this.#translated(error);
    } finally {
      limit.abort();
    }
    this.#doubt(untilMs - timeoutMs);
    throw this.#unreachable(NO_ANSWER);
  }

  close(): void {
    this.#closed = true;
    this.#current?.connection.destroy();
    this.#current = null;
  }

  /** The connection that there is, or one that is being made; waits for its turn where some have failed. */
  async #attempt(untilMs: number): Promise<Attempt<Connection>> {
    this.#requireOpen();
    if (this.#current === null) {
      const pauseMs = this.#nextTryAt - monotonicNow();
      if (pauseMs > 0) {
        if (monotonicNow() + pauseMs >= untilMs) throw this.#unreachable(this.#problem);
        await wait(pauseMs);
        this.#requireOpen();
      }
      this.#current ??= this.#connect();
    }
    const attempt = this.#current;
    await attempt.connected;
    return attempt;
  }

  #connect(): Attempt<Connection> {
    const { open, onChange } = this.#parts;
    const connection = open();
    const attempt: Attempt<Connection> = {
      ...{ connection, connected: Promise.resolve() },
      ...{ isConnected: false, answeredAt: 0, doubts: 0 },
    };
    connection.onEnd((error) => {
      this.#ended(attempt, error);
    });
    attempt.connected = this.#establish(connection);
    attempt.connected.then(
      () => {
        this.#failures = 0;
        attempt.isConnected = true;
        onChange();
      },
      (error: unknown) => {
        this.#ended(attempt, error);
      },
    );
    return attempt;
  }

  async #establish(connection: Connection): Promise<void> {
    const { connectTimeoutMs, onChange } = this.#parts;
    const limit = new AbortController();
    const { signal } = limit;
    const late = wait(connectTimeoutMs, undefined, { signal }).then(() => {
      throw new Error(NO_ANSWER);
    });
    late.catch(() => undefined);
    const made = connection.connect(onChange);
    made.catch(() => undefined);
    try {
      await Promise.race([made, late]);
    } finally {
      limit.abort();
    }
  }

  #ended(attempt: Attempt<Connection>, error: unknown): void {
    if (this.#current !== attempt) return;
    this.#current = null;
    attempt.connection.destroy();
    this.#problem = this.#said(error) || 'the connection was closed';
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** this.#failures, LONGEST_PAUSE_MS);
    this.#failures = Math.min(this.#failures + 1, FAILURES_COUNTED);
    this.#nextTryAt = monotonicNow() + pauseMs * (0.5 + Math.random());
  }

  /** One late answer is a slow server; a connection that has brought nothing for two requests is made anew. */
  #doubt(askedAt: number): void {
    const attempt = this.#current;
    // A connection that is still being made has a time of its own.
    if (attempt?.isConnected !== true) return;
    attempt.doubts = attempt.answeredAt >= askedAt ? 0 : attempt.doubts + 1;
    if (attempt.doubts >= DOUBTS_LIMIT) this.#ended(attempt, new Error(NO_ANSWER));
  }

  /** Asked again after each wait. */
  #requireOpen(): void {
    if (this.#closed) throw this.#unreachable('the node has left it');
  }

  #translated(error: unknown): FailoverError {
    if (error instanceof FailoverError) return error;
    const refusal = this.#parts.refusalOf(error);
    if (refusal !== null) return refusal;
    return this.#unreachable(this.#current === null ? this.#problem : this.#said(error));
  }

  #said(error: unknown): string {
    return this.#parts.wordsFor?.(error) ?? textOf(error);
  }

  #unreachable(why: string): FailoverError {
    const message = `Cannot reach the lease store ${this.#parts.shown}: ${why}`;
    return new FailoverError('FAILOVER_STORE_UNREACHABLE', message);
  }
}

/** A connection from its beginning on. */
interface Attempt<Connection> {
  readonly connection: Connection;
  connected: Promise<void>;
  isConnected: boolean;
  /** When it brought its last answer, monotonic, ms. */
  answeredAt: number;
  /** Requests in a row that it did not answer. */
  doubts: number;
}

/** Always the same words, whatever was asked: what is told again and again is logged once. */
const NO_ANSWER = 'it does not answer';

const DOUBTS_LIMIT = 2;

/** The pause after a connection that failed; doubles, give or take half: many nodes don't come back at once. */
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1_000;
const FAILURES_COUNTED = 10;
