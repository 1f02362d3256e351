// One check by a command of the shell: exit 0 passes.
import { execa } from 'execa';
import { describeEnd } from '../core/restart-policy.ts';
import { noteSession } from '../fence/own-sessions.ts';
import { ownIdentity, readIdentity } from '../fence/process-identity.ts';
import type { SessionRecord } from '../lease/lease-store.ts';
import { lackOfDescriptors } from '../spare-descriptors.ts';
import { livingMembers } from '../workload/living-members.ts';
import type { Fault } from './check-result.ts';

export interface CommandSurroundings {
  /** What is set on top of this process's own environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Whether it is started under a death signal, where there is `setpriv`. */
  readonly deathSignal: boolean;
}

/**
 * Whatever the command has started in its session is ended with it, also when the signal aborts, and only then
 * does this resolve. Never rejects.
 */
export async function checkCommand(
  command: string,
  { environment, deathSignal, signal }: CommandSurroundings & { readonly signal: AbortSignal },
): Promise<Fault | null> {
  const lack = lackOfDescriptors();
  if (lack !== null) return { reason: 'failed', error: lack.message };
  const shell: [string, ...string[]] = ['sh', '-c', command];
  const [file, ...args]: [string, ...string[]] = deathSignal
    ? ['setpriv', '--pdeathsig', 'KILL', '--', ...shell]
    : shell;
  const subprocess = execa(file, args, {
    detached: true,
    cleanup: false,
    reject: false,
    verbose: 'none',
    env: environment,
    stdio: 'ignore',
  });
  const { pid } = subprocess;
  const identity = pid === undefined ? null : (readIdentity(pid) ?? { ...ownIdentity(), pid });
  const kill = (): void => {
    if (identity !== null)
      killSession({
        process: identity,
        kind: 'hook',
        active: true,
        keep: false,
        stopsWithSupervisor: false,
      });
  };
  signal.addEventListener('abort', kill);
  const { exitCode, signal: endedBy, shortMessage } = await subprocess;
  signal.removeEventListener('abort', kill);
  kill();
  if (exitCode === 0) return null;
  if (exitCode === undefined && endedBy === undefined) {
    return { reason: 'failed', error: shortMessage ?? 'the command could not be started' };
  }
  const end = describeEnd({ exitCode: exitCode ?? null, signal: endedBy ?? null });
  return { reason: 'exit', error: `the health check ended with ${end}` };
}

/** A check does nothing that needs time to be put in order: it is killed at once. */
function killSession(record: SessionRecord): void {
  noteSession(record);
  for (const pid of membersOf(record)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended between the look and the signal.
    }
  }
}

function membersOf(record: SessionRecord): readonly number[] {
  try {
    return livingMembers([record]).map(({ pid }) => pid);
  } catch {
    // Nothing was left to look with; thrown from the listener of a signal, it would end this process.
    return [];
  }
}
