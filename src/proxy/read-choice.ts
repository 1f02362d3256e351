// Who takes a request: the primary, or a node that may answer reads as well. No clock, no I/O.
import type { READ_FROM } from '../config/choices.ts';

export type ReadFrom = (typeof READ_FROM)[number];

/** What of a request says whether it changes anything. */
export interface AskedKind {
  readonly method: string;
  readonly hasBody: boolean;
  /** It asks for another protocol, over which anything may come. */
  readonly isUpgrade: boolean;
}

/** A node as a read sees it. */
export interface Readable {
  /** Where its command is reached. */
  readonly target: string;
  /** Its checks and its answers speak for it. */
  readonly isUsable: boolean;
  /** It has fewer under way than it may. */
  readonly hasRoom: boolean;
}

export interface ReadSight {
  readonly readFrom: ReadFrom;
  readonly nodes: readonly Readable[];
  /** Where the primary is reached; the one before it as long as nobody leads. Null: nobody has led. */
  readonly primary: string | null;
  /** What goes to the primary now is not held: it serves, and has room. */
  readonly isPrimaryFree: boolean;
  /** Those that this read has failed at. */
  readonly tried: ReadonlySet<string>;
}

/** Whether any node may answer it; where only some methods are named, all others may change something. */
export function isRead({ method, hasBody, isUpgrade }: AskedKind): boolean {
  return (method === 'GET' || method === 'HEAD') && !hasBody && !isUpgrade;
}

/**
 * The targets that may take a read, in no order; none: it waits at the gate of the primary. The one that led last is
 * none of them until another leads: it is about to end its command, or has died.
 */
export function readersFor(sight: ReadSight): readonly string[] {
  const { readFrom, nodes, primary, isPrimaryFree, tried } = sight;
  if (readFrom === 'primary') return [];
  const takesPrimary = readFrom === 'any' && isPrimaryFree;
  return nodes
    .filter(({ isUsable, hasRoom }) => isUsable && hasRoom)
    .map(({ target }) => target)
    .filter((target) => !tried.has(target) && (target !== primary || takesPrimary));
}
