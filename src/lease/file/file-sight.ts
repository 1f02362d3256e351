// What the paths of one group name now; during one look each path is asked for once, whoever wants to know.
import type { BigIntStats } from 'node:fs';
import { identityOf, statOrNull } from './file-identity.ts';

/** What was found under a path, in numbers that are compared faster than they are put into words. */
interface Named {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly birthtimeNs: bigint;
  readonly identity: string;
}

/**
 * The parts of a node ask for the same few paths, each for its own reason. Outside of `during` every answer
 * is of the moment in which it is asked for.
 */
export class FileSight {
  /** What the present look has seen; null: none is under way, or something was changed since it began. */
  #seen: Map<string, BigIntStats | null> | null = null;
  readonly #named = new Map<string, Named>();

  /** One look: what it finds under a path holds to its end, unless something is changed before. */
  during<T>(look: () => T): T {
    this.#seen = new Map();
    try {
      return look();
    } finally {
      // What is left of a look around this one sees what it has changed.
      this.#seen = null;
    }
  }

  /** Called before anything is changed, or given to others to do: what was seen holds no longer. */
  expire(): void {
    this.#seen = null;
  }

  /** What is under a path; null: there is nothing, or it cannot be looked at. */
  statsOf(path: string): BigIntStats | null {
    const known = this.#seen?.get(path);
    if (known !== undefined) return known;
    const stats = statOrNull(path);
    this.#seen?.set(path, stats);
    return stats;
  }

  /** As `identityOfPath`; only for paths whose names stay the same, as each is remembered. */
  identityOf(path: string): string | null {
    const stats = this.statsOf(path);
    if (stats === null) return null;
    const known = this.#named.get(path);
    if (
      known?.ino === stats.ino &&
      known.birthtimeNs === stats.birthtimeNs &&
      known.dev === stats.dev
    ) {
      return known.identity;
    }
    const { dev, ino, birthtimeNs } = stats;
    const identity = identityOf(stats);
    this.#named.set(path, { dev, ino, birthtimeNs, identity });
    return identity;
  }
}
