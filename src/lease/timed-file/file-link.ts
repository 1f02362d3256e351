// The way to files that may be on another machine: one request at a time, as one that does not return keeps a thread,
// and beside them one that only looks.
import { setTimeout as wait } from 'node:timers/promises';
import { FailoverError } from '../../errors.ts';
import { textOf } from '../error-text.ts';
import { errnoOf } from '../file/storage-error.ts';

export interface FileLinkParts {
  /** For messages. */
  readonly shown: string;
  /** Does what is asked of the files; replaced by tests. */
  readonly perform?: Perform;
}

/** What becomes of a request. */
export type Perform = <Answer>(act: () => Promise<Answer>) => Promise<Answer>;

/** Whether nobody waits for it any more: it takes no further step then. */
export type IsLate = () => boolean;

/** Where one is done after the other. */
class Lane {
  #last: Promise<unknown> = Promise.resolve();

  inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(act);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

/**
 * By directory, for all groups of the process: a look goes through a file for each node that was there of late. However
 * many look, those that renew their leases have all other threads.
 */
const LOOKS = new Map<string, Lane>();

export class FileLink {
  readonly #shown: string;
  readonly #perform: Perform;
  readonly #steps = new Lane();
  readonly #looks: Lane;
  /** How many wait or are under way in each. */
  readonly #waiting = new Map<Lane, number>();
  #isClosed = false;

  constructor({ shown, perform = (act) => act() }: FileLinkParts) {
    this.#shown = shown;
    this.#perform = perform;
    this.#looks = LOOKS.get(shown) ?? new Lane();
    LOOKS.set(shown, this.#looks);
  }

  /**
   * Does it when all before it is done, and gives its answer.
   *
   * @throws FAILOVER_STORE_UNREACHABLE when there was none in time, whether or not it was done;
   *   FAILOVER_STORE_REFUSED where asking again changes nothing
   */
  within<Answer>(timeoutMs: number, act: (isLate: IsLate) => Promise<Answer>): Promise<Answer> {
    return this.#through(this.#steps, timeoutMs, act);
  }

  /** The same for what only looks, and is in nobody's way: when all looks before it are done. */
  looking<Answer>(timeoutMs: number, act: (isLate: IsLate) => Promise<Answer>): Promise<Answer> {
    return this.#through(this.#looks, timeoutMs, act);
  }

  async #through<Answer>(
    lane: Lane,
    timeoutMs: number,
    act: (isLate: IsLate) => Promise<Answer>,
  ): Promise<Answer> {
    if (this.#isClosed) throw this.unreachable('the node has left it');
    const waiting = this.#waiting.get(lane) ?? 0;
    if (waiting >= WAITING_LIMIT) throw this.unreachable(NO_ANSWER);
    this.#waiting.set(lane, waiting + 1);
    const limit = new AbortController();
    const isLate = (): boolean => limit.signal.aborted;
    const timeout = wait(timeoutMs, 'timeout' as const, { signal: limit.signal });
    // Ended below, and then nobody waits for it.
    timeout.catch(() => undefined);
    const work = lane
      .inTurn(async () => {
        // The asker was told that it failed, and goes by that.
        if (isLate()) throw new Error(NO_ANSWER);
        return { answer: await this.#perform(() => act(isLate)) };
      })
      .finally(() => {
        this.#waiting.set(lane, (this.#waiting.get(lane) ?? 0) - 1);
      });
    work.catch(() => undefined);
    try {
      const first = await Promise.race([work, timeout]);
      if (first !== 'timeout') return first.answer;
    } catch (error) {
      throw this.#translated(error);
    } finally {
      limit.abort();
    }
    throw this.unreachable(NO_ANSWER);
  }

  unreachable(why: string): FailoverError {
    const message = `Cannot reach the lease store ${this.#shown}: ${why}`;
    return new FailoverError('FAILOVER_STORE_UNREACHABLE', message, { hint: NOT_THERE });
  }

  refused(why: string, hint: string = NOT_ALLOWED): FailoverError {
    const message = `Cannot use the lease store ${this.#shown}: ${why}`;
    return new FailoverError('FAILOVER_STORE_REFUSED', message, { hint });
  }

  close(): void {
    this.#isClosed = true;
  }

  #translated(error: unknown): FailoverError {
    if (error instanceof FailoverError) return error;
    const code = errnoOf(error);
    const refusal = code === null ? undefined : REFUSALS[code];
    if (refusal !== undefined) return this.refused(refusal, HINTS[code ?? '']);
    return this.unreachable(PASSING[code ?? ''] ?? textOf(error));
  }
}

const NOT_THERE =
  'Check that the directory exists and its share is mounted; a node keeps retrying.';
const NOT_ALLOWED = "Check the directory and this user's permissions in it.";

const NO_ANSWER = 'it does not answer';

/** More than a node asks at a time: what comes on top of it would be too late when it has its turn. */
const WAITING_LIMIT = 32;

const REFUSALS: Readonly<Partial<Record<string, string>>> = {
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'a part of the path is not a directory',
  ENOTSUP: 'its file system lacks a feature that a lease needs',
  EOPNOTSUPP: 'its file system lacks a feature that a lease needs',
  ENOSYS: 'its file system lacks a feature that a lease needs',
  ENAMETOOLONG: 'the path is too long',
  ELOOP: 'it has a loop of symbolic links',
};

const SAME_USER = 'Run all nodes of the group with the user id that owns the directory.';

const HINTS: Readonly<Partial<Record<string, string>>> = { EACCES: SAME_USER, EPERM: SAME_USER };

/** Always the same words, whatever file it was: what is told again and again is logged once. */
const PASSING: Readonly<Partial<Record<string, string>>> = {
  ENOENT: 'something in it is missing',
  ENOSPC: 'no space is left on its file system',
  EDQUOT: "the user's disk quota is exceeded",
  ESTALE: 'its server no longer knows it (stale file handle)',
  EIO: 'it cannot be read or written',
  ENOTCONN: 'it is not connected',
  EHOSTDOWN: 'its server is unavailable',
  ETIMEDOUT: NO_ANSWER,
};
