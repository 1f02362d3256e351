// Whether a process answers when it is asked: one question for all groups that want to know.
import { FailoverError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import type { ProcessIdentity } from '../lease/lease-store.ts';
import { monotonicNow } from '../runtime/clock.ts';
import { lackOfDescriptors } from '../spare-descriptors.ts';

/**
 * `silent`: it was asked in time and gave no answer of any kind, twice; `unknown`: it could not be asked, or this
 * process was too late to hear it.
 */
export type Answering = 'answered' | 'silent' | 'unknown';

export interface Question {
  readonly process: ProcessIdentity;
  /** How long it may take to answer, ms. */
  readonly timeoutMs: number;
  /** One ping of that process, no longer than it may take; rejects with what it answers, and when it doesn't. */
  readonly ping: (timeoutMs: number) => Promise<unknown>;
}

/** Asks, or waits with all others of this process who ask the same. Up to three pings; never rejects. */
export function askTogether(question: Question): Promise<Answering> {
  forgetOld();
  const { pid, startTime } = question.process;
  const key = `${String(pid)} ${startTime} ${String(question.timeoutMs)}`;
  const asked = questions.get(key);
  if (asked !== undefined) return asked.answering;
  const answering = askRepeatedly(question).then((found) => {
    // Nobody is to be killed for a silence of a while ago.
    if (found === 'silent') questions.delete(key);
    else questions.set(key, { answering, settledMs: monotonicNow() });
    return found;
  });
  questions.set(key, { answering, settledMs: null });
  return answering;
}

interface Asked {
  readonly answering: Promise<Answering>;
  /** When it was settled, ms; null: it is under way. */
  readonly settledMs: number | null;
}

const questions = new Map<string, Asked>();

/** How long what was found counts for those who ask later. */
const HOLDS_MS = 500;

const PINGS = 3;

const SILENCES = 2;

/** In less time an answer can't be told from a moment in which this process or the machine is busy, ms. */
const LEAST_TIMEOUT_MS = 50;

const TICKS = 10;

function forgetOld(): void {
  const now = monotonicNow();
  for (const [key, { settledMs }] of questions) {
    if (settledMs !== null && now - settledMs > HOLDS_MS) questions.delete(key);
  }
}

async function askRepeatedly(question: Question): Promise<Answering> {
  let silences = 0;
  for (let pings = 0; pings < PINGS && silences < SILENCES; pings += 1) {
    // What keeps this process from hearing may be done by then.
    await turnOfLoop();
    const found = await askOnce(question);
    if (found === 'answered') return found;
    if (found === 'silent') silences += 1;
  }
  return silences >= SILENCES ? 'silent' : 'unknown';
}

async function askOnce({ ping, timeoutMs }: Question): Promise<Answering> {
  const limitMs = Math.max(timeoutMs, LEAST_TIMEOUT_MS);
  const startedMs = monotonicNow();
  const lateness = new Lateness(limitMs / TICKS);
  try {
    await ping(limitMs);
    return 'answered';
  } catch (error) {
    if (!(error instanceof FailoverError)) return 'unknown';
    if (!SILENCE.has(error.code)) return 'answered';
    // A connection that could not be opened from here looks like one that nobody takes there.
    if (lackOfDescriptors() !== null) return 'unknown';
    // Where nobody listens, it may have new sockets by then.
    const restMs = startedMs + limitMs - monotonicNow();
    if (restMs > 0) await pause(restMs);
    return lateness.longestMs() > limitMs / 2 ? 'unknown' : 'silent';
  } finally {
    lateness.close();
  }
}

function turnOfLoop(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** What is thrown here for want of an answer; any other error is one. */
const SILENCE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'FAILOVER_NODE_UNREACHABLE',
  'FAILOVER_TIMED_OUT',
]);

/** The longest time in which this process's loop did nothing else: an answer may have waited all the while. */
class Lateness {
  readonly #timer: NodeJS.Timeout;
  #lastMs = monotonicNow();
  #longestMs = 0;

  constructor(intervalMs: number) {
    this.#timer = setInterval(() => {
      this.longestMs();
    }, intervalMs);
  }

  longestMs(): number {
    const now = monotonicNow();
    this.#longestMs = Math.max(this.#longestMs, now - this.#lastMs);
    this.#lastMs = now;
    return this.#longestMs;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
