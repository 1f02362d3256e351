// What a proxy has done, in one sentence, and what it refuses, in lines that do not flood.
import { formatDuration } from '../core/duration-text.ts';
import type { ProxyReport } from './http-proxy.ts';
import { REFUSALS } from './refusals.ts';
import type { RefusalCode } from './refusals.ts';

/** What is told to nobody by a status, and is counted and said like what is refused. */
const LOSSES = {
  'broken-off':
    'The primary was lost, or was idle for too long, after part of the response had been forwarded',
  'too-many-clients': 'The number of connected clients reached --max-clients',
} as const;

/** What a proxy says of, whenever it happens. */
export type NotedCode = RefusalCode | keyof typeof LOSSES;

type Mode = ProxyReport['mode'];

/** Counts that are zero are left out. */
export function summaryOf({ mode, counts, everHeld, longestHeldMs }: ProxyReport): string {
  const { requests, answered, reads, repeated, upgraded, cut, clientsGone, clientsRefused } =
    counts;
  const longest = formatDuration(Math.round(longestHeldMs));
  const [done, what, part] = WORDS[mode];
  const parts = [
    `${done} ${String(answered)} of ${String(requests)} ${what}`,
    everHeld > 0 ? `held ${String(everHeld)}, the longest for ${longest}` : '',
    numbered(reads, 'read from other nodes'),
    numbered(repeated, 'repeated'),
    numbered(upgraded, 'WebSockets'),
    numbered(cut, `${part} broken off`),
    numbered(clientsGone, 'clients gone before their response'),
    numbered(clientsRefused, 'clients too many'),
    ...[...counts.refused].map(([code, count]) => numbered(count, code)),
  ];
  return parts.filter((one) => one !== '').join('; ');
}

const WORDS: Readonly<Record<Mode, readonly [done: string, what: string, part: string]>> = {
  http: ['Answered', 'requests', 'answers'],
  tcp: ['Passed on', 'connections', 'connections'],
};

function numbered(count: number, what: string): string {
  return count === 0 ? '' : `${what}: ${String(count)}`;
}

/** From one line about a code to the next, ms. */
const LINE_PAUSE_MS = 5_000;

/** Says of each kind of refusal when it begins, and then how many there were, at most every few seconds. */
export class RefusalLines {
  readonly #mode: Mode;
  readonly #now: () => number;
  readonly #write: (code: NotedCode, line: string) => void;
  readonly #last = new Map<NotedCode, { atMs: number; since: number }>();

  constructor(mode: Mode, now: () => number, write: (code: NotedCode, line: string) => void) {
    this.#mode = mode;
    this.#now = now;
    this.#write = write;
  }

  add(code: NotedCode): void {
    const nowMs = this.#now();
    const last = this.#last.get(code);
    if (last !== undefined && nowMs < last.atMs + LINE_PAUSE_MS) {
      last.since += 1;
      return;
    }
    const more = last === undefined || last.since === 0 ? '' : `, and ${String(last.since)} before`;
    this.#last.set(code, { atMs: nowMs, since: 0 });
    this.#write(
      code,
      `${this.#whatOf(code)}${more}: ${isLoss(code) ? LOSSES[code] : REFUSALS[code].says}`,
    );
  }

  #whatOf(code: NotedCode): string {
    const isTcp = this.#mode === 'tcp';
    if (code === 'too-many-clients') return 'Rejected a client';
    if (isLoss(code)) return `Aborted ${isTcp ? 'a connection' : 'a response'}`;
    if (isTcp) return `Reset a connection, ${code}`;
    return `Answered a request with ${String(REFUSALS[code].status)} ${code}`;
  }
}

function isLoss(code: NotedCode): code is keyof typeof LOSSES {
  return code in LOSSES;
}
