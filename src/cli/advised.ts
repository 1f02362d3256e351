// The commands that a text advises, as they work for the reader: of the group in the place that was asked about.
import { isOnServer, parseLease } from '../config/lease-url.ts';
import { defaultStateDir } from '../config/state-dir.ts';
import { sharedState } from '../config/timed-file.ts';
import { FailoverError } from '../errors.ts';

/** Where a group was looked for. */
export interface Asked {
  /** Null: the default directory of this user. */
  readonly stateDir: string | null;
  /** Left out: none was named. It may carry a password, which no advice repeats. */
  readonly lease?: string;
}

/**
 * Texts advise by the group alone, as those of other nodes and of the table of errors have to: what else the reader has
 * said is put into each `failover … --group NAME` in them.
 */
export function advised(text: string, asked: Asked): string {
  return text.replaceAll(ADVICE, (whole, line: string, name: string) => {
    const [own = '', ...command] = line.split(' -- ');
    const flags = flagsFor(name, asked).filter(([flag]) => !own.includes(` ${flag} `));
    if (flags.length === 0) return whole;
    const added = flags.map(([flag, value]) => ` ${flag} ${value}`).join('');
    return `\`${[own + added, ...command].join(' -- ')}\``;
  });
}

/** The same error with such a hint. */
export function withAdvice(error: unknown, asked: Asked): unknown {
  if (!(error instanceof FailoverError)) return error;
  const { code, message, exitCode, hint } = error;
  const completed = advised(hint, asked);
  if (completed === hint) return error;
  return new FailoverError(code, message, { cause: error, exitCode, hint: completed });
}

/** In backquotes, with the name of its group. */
const ADVICE = /`(failover ([a-z]+)(?= [^`]*--group )[^`]*)`/g;

/** Exported for its tests: those that take --lease. The others ask nodes of this machine, which know it. */
export const LEASE_TAKERS: ReadonlySet<string> = new Set([
  ...['run', 'status', 'explain', 'events', 'pause', 'resume', 'proxy', 'dashboard', 'doctor'],
]);

type Flag = readonly [flag: string, value: string];

function flagsFor(name: string, { stateDir, lease }: Asked): readonly Flag[] {
  const address = lease === undefined ? null : parseLease(lease);
  const isTimed = address?.kind === 'timed-file';
  // Whoever gave the shared directory as the state directory has given no lease.
  const isShared = isTimed && sharedState(address.directory).stateDir === stateDir;
  const directory = isShared ? address.directory : stateDir;
  const flags: Flag[] = [];
  if (directory !== null && directory !== defaultStateDir()) {
    flags.push(['--state-dir', word(directory)]);
  }
  if (lease === undefined || address === null || !LEASE_TAKERS.has(name)) return flags;
  if (isOnServer(address) && !isShared) flags.push(['--lease', leaseWord(lease)]);
  if (isTimed && name === 'run') flags.push(['--lease-ttl', 'TIME']);
  return flags;
}

/** What stands before an `@` may be a password. */
function leaseWord(lease: string): string {
  return lease.includes('@') ? '"$FAILOVER_LEASE"' : word(lease);
}

/** As a shell takes it for one word. */
function word(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
