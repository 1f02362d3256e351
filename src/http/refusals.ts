// How often somebody may guess a token: a few times at once, and then now and then. Pure but for the clock it is given.
import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';

/** Wrong ones in a row, and after how long one more may be tried. */
const GUESSES = 10;
const GUESS_INTERVAL_MS = 6_000;

/** Beyond so many who guess, those are forgotten who have not for the longest time. */
const MOST_ADDRESSES = 1_000;

/** Of one address: a page that has an old token, and asks with it again and again, guesses nothing. */
const MOST_KNOWN = 8;

interface Guesser {
  /** When its last guess is made up for. */
  readonly until: number;
  /** Digests of what it tried last. */
  readonly known: readonly string[];
}

export class Refusals {
  readonly #now: () => number;
  /** By address. The one that guessed last is the last. */
  readonly #guessers = new Map<string, Guesser>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** How long it has to wait, ms; 0: not at all. Right tokens wait as well: otherwise waiting would be no loss. */
  waitMs(address: string): number {
    const owedMs = (this.#guessers.get(placeOf(address))?.until ?? 0) - this.#now();
    return Math.max(0, owedMs - (GUESSES - 1) * GUESS_INTERVAL_MS);
  }

  note(address: string, token: string): void {
    const place = placeOf(address);
    const digest = createHash('sha256').update(token).digest('base64');
    const { until, known } = this.#guessers.get(place) ?? { until: 0, known: [] };
    if (known.includes(digest)) return;
    this.#guessers.delete(place);
    this.#guessers.set(place, {
      until: Math.max(this.#now(), until) + GUESS_INTERVAL_MS,
      known: [...known, digest].slice(-MOST_KNOWN),
    });
    if (this.#guessers.size <= MOST_ADDRESSES) return;
    const [oldest] = this.#guessers.keys();
    if (oldest !== undefined) this.#guessers.delete(oldest);
  }
}

/** Of IPv6 the first 64 bits: whoever has one of those addresses has all. */
function placeOf(address: string): string {
  const plain = address.replace(/%.*$/, '');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1];
  if (mapped !== undefined || !isIPv6(plain)) return mapped ?? address;
  const [head = '', tail] = plain.split('::');
  const words = (part: string): string[] => part.split(':').filter((word) => word !== '');
  const [first, last] = [words(head), words(tail ?? '')];
  const missing = tail === undefined ? 0 : Math.max(0, 8 - first.length - last.length);
  const all = [...first, ...Array.from({ length: missing }, () => '0'), ...last];
  return all
    .slice(0, 4)
    .map((word) => Number.parseInt(word, 16).toString(16))
    .join(':');
}
