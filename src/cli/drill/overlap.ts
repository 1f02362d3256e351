// Whether two runs of a workload were alive at the same instant: pure judgement over what two looks saw.

/** One recorded session at one look. */
export interface SeenSession {
  /** The run of the node that started it. */
  readonly run: string;
  readonly node: string;
  readonly kind: 'workload' | 'hook';
  /** False: it waits behind its gate or stands by hot. */
  readonly active: boolean;
  /** Names the session for ever: pid and start time of its leader. */
  readonly key: string;
  /** The living processes of it, also those that left it but were seen in it before. */
  readonly processes: readonly string[];
}

/**
 * Overlaps that are proved by two looks, one right after the other. A look takes time: two sessions that
 * are both in it may have followed each other. But what is alive and active in both looks was so all the
 * time between them, and that includes the instant at which the first look ended.
 */
export function overlapsIn(
  first: readonly SeenSession[],
  second: readonly SeenSession[],
): readonly string[] {
  const lasting = first.flatMap((session) => {
    const later = second.find(({ key, active }) => key === session.key && active);
    const processes = session.processes.filter((one) => later?.processes.includes(one) === true);
    return session.active && processes.length > 0 ? [{ ...session, processes }] : [];
  });
  return lasting.flatMap((one, i) => {
    return lasting.slice(i + 1).flatMap((other) => (excludes(one, other) ? text(one, other) : []));
  });
}

/** Whether a second look is worth taking. */
export function mayOverlap(sessions: readonly SeenSession[]): boolean {
  return overlapsIn(sessions, sessions).length > 0;
}

/** A node's own hook belongs to its workload; any two others may not be active at once. */
function excludes(one: SeenSession, other: SeenSession): boolean {
  return one.run !== other.run || (one.kind === 'workload' && other.kind === 'workload');
}

function text(one: SeenSession, other: SeenSession): string {
  return `two were active at once: ${describe(one)} and ${describe(other)}`;
}

function describe({ kind, node, processes }: SeenSession): string {
  const pids = processes.slice(0, NAMED).map((process) => process.split('/')[0]);
  const more = processes.length > NAMED ? ' and more' : '';
  return `the ${kind} of ${node} (pid ${pids.join(', ')}${more})`;
}

/** The most pids that one sentence names. */
const NAMED = 3;
