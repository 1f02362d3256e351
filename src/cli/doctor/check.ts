// What a check of `failover doctor` is, and what it finds.
import type { FailoverError } from '../../errors.ts';
import type { Place } from './place.ts';

/** ok: as it should be; warning: a node runs, and not as well as it could; failure: it would not, or not safely. */
export type Health = 'ok' | 'warning' | 'failure';

export interface Finding {
  readonly status: Health;
  /** What was seen, with value and unit. */
  readonly fact: string;
  /** One imperative sentence; null: nothing is to be done. */
  readonly advice: string | null;
}

/** One row of the table. It changes nothing that it has not made itself, and leaves nothing of that behind but a directory for sockets. */
export interface Check {
  /** Stable: scripts go by it. */
  readonly id: string;
  /** What is found out, for the manual. */
  readonly question: string;
  /** Left out: whatever was asked about. */
  readonly appliesTo?: (place: Place) => boolean;
  /** It looks at other nodes: one that keeps it waiting is no reason for this one not to start. */
  readonly isOfOthers?: true;
  /** What it throws of ours is a failure with its hint; null: there is nothing to say. */
  readonly run: (place: Place) => Finding | Promise<Finding>;
}

/** Another check has to be mended before it can be tried. */
export class NotTried extends Error {
  override readonly name = 'NotTried';
  /** Its id. */
  readonly first: string;

  constructor(message: string, first: string) {
    super(message);
    this.first = first;
  }
}

export function ok(fact: string): Finding {
  return { status: 'ok', fact, advice: null };
}

export function warning(fact: string, advice: string): Finding {
  return { status: 'warning', fact, advice };
}

export function failure(fact: string, advice: string): Finding {
  return { status: 'failure', fact, advice };
}

/** What a node would end with here. */
export function refused({ message, hint }: FailoverError): Finding {
  return failure(message, hint);
}
