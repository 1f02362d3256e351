// What a proxy has done, in one sentence, and what it refuses, in lines that do not flood.
import { formatDuration } from '../core/duration-text.ts';
import type { ProxyReport } from './http-proxy.ts';
import { REFUSALS } from './refusals.ts';
import type { RefusalCode } from './refusals.ts';

/** Counts that are zero are left out. */
export function summaryOf({ counts, everHeld, longestHeldMs }: ProxyReport): string {
  const { requests, answered, reads, repeated, upgraded, cut, clientsGone, clientsRefused } =
    counts;
  const longest = formatDuration(Math.round(longestHeldMs));
  const parts = [
    `Answered ${String(answered)} of ${String(requests)} requests`,
    everHeld > 0 ? `held ${String(everHeld)}, the longest for ${longest}` : '',
    numbered(reads, 'read from other nodes'),
    numbered(repeated, 'repeated'),
    numbered(upgraded, 'WebSockets'),
    numbered(cut, 'answers broken off'),
    numbered(clientsGone, 'clients gone before their answer'),
    numbered(clientsRefused, 'clients too many'),
    ...[...counts.refused].map(([code, count]) => numbered(count, code)),
  ];
  return parts.filter((part) => part !== '').join('; ');
}

function numbered(count: number, what: string): string {
  return count === 0 ? '' : `${what}: ${String(count)}`;
}

/** From one line about a code to the next, ms. */
const LINE_PAUSE_MS = 5_000;

/** Says of each kind of refusal when it begins, and then how many there were, at most every few seconds. */
export class RefusalLines {
  readonly #now: () => number;
  readonly #write: (code: RefusalCode, line: string) => void;
  readonly #last = new Map<RefusalCode, { atMs: number; since: number }>();

  constructor(now: () => number, write: (code: RefusalCode, line: string) => void) {
    this.#now = now;
    this.#write = write;
  }

  add(code: RefusalCode): void {
    const nowMs = this.#now();
    const last = this.#last.get(code);
    if (last !== undefined && nowMs < last.atMs + LINE_PAUSE_MS) {
      last.since += 1;
      return;
    }
    const more = last === undefined || last.since === 0 ? '' : `, and ${String(last.since)} before`;
    this.#last.set(code, { atMs: nowMs, since: 0 });
    const { status, says } = REFUSALS[code];
    this.#write(code, `Answered a request with ${String(status)} ${code}${more}: ${says}`);
  }
}
