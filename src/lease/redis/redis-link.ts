// One connection to a server, made anew whenever it ends: each request has its time, and none is repeated.
import { setTimeout as wait } from 'node:timers/promises';
import { FailoverError } from '../../errors.ts';
import { monotonicNow } from '../../runtime/clock.ts';
import type { OpenConnection, RedisConnection } from './redis-client.ts';
import { isRefusal, refusal, textOf } from './redis-errors.ts';

export interface RedisLinkParts {
  readonly open: OpenConnection;
  /** The address for messages: without user and password. */
  readonly shown: string;
  readonly channel: string;
  /** How long a connection may take until it can be used, ms. */
  readonly connectTimeoutMs: number;
  /** Somebody has published, or may have while there was no connection. */
  readonly onMessage: () => void;
}

export interface Script {
  readonly text: string;
  /**
   * The hash by which the server knows it, for what is asked all the time; null: it is sent as a whole, so that it
   * is done also where no answer comes back.
   */
  readonly sha1: string | null;
}

export class RedisLink {
  readonly #parts: RedisLinkParts;
  #current: Attempt | null = null;
  #closed = false;
  #failures = 0;
  /** Nothing is tried before, monotonic, ms. */
  #nextTryAt = 0;
  #problem = 'no connection has been made yet';

  constructor(parts: RedisLinkParts) {
    this.#parts = parts;
  }

  /**
   * Runs a script and gives what it returned.
   *
   * @throws FAILOVER_STORE_UNREACHABLE when there was no answer in time, whether or not it was run;
   *   FAILOVER_STORE_REFUSED when the server said no
   */
  async run(
    { text, sha1 }: Script,
    {
      keys,
      args,
      timeoutMs,
    }: { keys: readonly string[]; args: readonly string[]; timeoutMs: number },
  ): Promise<unknown> {
    const rest = [String(keys.length), ...keys, ...args];
    return this.#within(timeoutMs, async (connection) => {
      if (sha1 === null) return connection.sendCommand(['EVAL', text, ...rest]);
      try {
        return await connection.sendCommand(['EVALSHA', sha1, ...rest]);
      } catch (error) {
        if (!textOf(error).startsWith('NOSCRIPT')) throw error;
        return await connection.sendCommand(['EVAL', text, ...rest]);
      }
    });
  }

  /** Resolves once there is a connection. @throws as `run` */
  async ready(timeoutMs: number): Promise<void> {
    await this.#within(timeoutMs, () => Promise.resolve());
  }

  close(): void {
    this.#closed = true;
    this.#current?.connection.destroy();
    this.#current = null;
  }

  async #within<Answer>(
    timeoutMs: number,
    act: (connection: RedisConnection) => Promise<Answer>,
  ): Promise<Answer> {
    const limit = new AbortController();
    const untilMs = monotonicNow() + timeoutMs;
    const timeout = wait(timeoutMs, 'timeout' as const, { signal: limit.signal });
    // Ended below, and then nobody waits for it.
    timeout.catch(() => undefined);
    const attempt = this.#attempt(untilMs);
    const work = attempt.then(async (made) => {
      // Its asker was told that it failed, and goes by that.
      if (limit.signal.aborted) throw new Error('too late');
      const answer = await act(made.connection);
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

  /** The connection that there is, or one that is being made; waits for its turn where some have failed. */
  async #attempt(untilMs: number): Promise<Attempt> {
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

  #connect(): Attempt {
    const { open, channel, onMessage, connectTimeoutMs } = this.#parts;
    const connection = open();
    const attempt: Attempt = { connection, connected: Promise.resolve(), answeredAt: 0, doubts: 0 };
    connection.onEnd((error) => {
      this.#ended(attempt, error);
    });
    attempt.connected = this.#establish(connection, { channel, connectTimeoutMs, onMessage });
    attempt.connected.then(
      () => {
        this.#failures = 0;
        onMessage();
      },
      (error: unknown) => {
        this.#ended(attempt, error);
      },
    );
    return attempt;
  }

  async #establish(
    connection: RedisConnection,
    how: Pick<RedisLinkParts, 'channel' | 'connectTimeoutMs' | 'onMessage'>,
  ): Promise<void> {
    const limit = new AbortController();
    const { signal } = limit;
    const late = wait(how.connectTimeoutMs, undefined, { signal }).then(() => {
      throw new Error(NO_ANSWER);
    });
    late.catch(() => undefined);
    const made = connection.connect().then(() => connection.subscribe(how.channel, how.onMessage));
    made.catch(() => undefined);
    try {
      await Promise.race([made, late]);
    } finally {
      limit.abort();
    }
  }

  #ended(attempt: Attempt, error: unknown): void {
    if (this.#current !== attempt) return;
    this.#current = null;
    attempt.connection.destroy();
    this.#problem = textOf(error) || 'the connection was closed';
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** this.#failures, LONGEST_PAUSE_MS);
    this.#failures = Math.min(this.#failures + 1, FAILURES_COUNTED);
    this.#nextTryAt = monotonicNow() + pauseMs * (0.5 + Math.random());
  }

  /** One late answer is a slow server; a connection that has brought nothing for two requests is made anew. */
  #doubt(askedAt: number): void {
    const attempt = this.#current;
    if (attempt === null) return;
    attempt.doubts = attempt.answeredAt >= askedAt ? 0 : attempt.doubts + 1;
    if (attempt.doubts >= DOUBTS_LIMIT) this.#ended(attempt, new Error(NO_ANSWER));
  }

  /** Asked again after each wait. */
  #requireOpen(): void {
    if (this.#closed) throw this.#unreachable('the node has left it');
  }

  #translated(error: unknown): FailoverError {
    if (error instanceof FailoverError) return error;
    if (isRefusal(error)) return refusal(this.#parts.shown, error);
    // Of a connection that has ended the client knows less than this.
    return this.#unreachable(this.#current === null ? this.#problem : textOf(error));
  }

  #unreachable(why: string): FailoverError {
    const message = `Cannot reach the lease store ${this.#parts.shown}: ${why}`;
    return new FailoverError('FAILOVER_STORE_UNREACHABLE', message);
  }
}

/** A connection from its beginning on. */
interface Attempt {
  readonly connection: RedisConnection;
  connected: Promise<void>;
  /** When it brought its last answer, monotonic, ms. */
  answeredAt: number;
  /** Requests in a row that it did not answer. */
  doubts: number;
}

/** The same words whatever it was asked: what is told again and again is told once. */
const NO_ANSWER = 'it does not answer';

const DOUBTS_LIMIT = 2;

/** The pause after a connection that failed; doubles, give or take half: many nodes don't come back at once. */
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1_000;
const FAILURES_COUNTED = 10;
