// One attempt of each kind of readiness check. None rejects; each ends when its signal aborts.
import { execa } from 'execa';
import { connect } from 'node:net';
import { livingMembers } from './living-members.ts';
import { noteSession } from '../fence/own-sessions.ts';
import { ownIdentity, readIdentity } from '../fence/process-identity.ts';
import type { SessionRecord } from '../lease/lease-store.ts';
import { lackOfDescriptors } from '../spare-descriptors.ts';

/** GET, and any status from 200 to 399 passes; a redirect is an answer and is not followed. */
export async function checkHttp(url: string, signal: AbortSignal): Promise<boolean> {
  // Loaded when used: most nodes never ask over HTTP.
  const { get } = url.startsWith('https:') ? await import('node:https') : await import('node:http');
  return new Promise((resolve) => {
    // No agent: a connection kept alive would keep the workload's server from ending in order.
    const request = get(url, { agent: false, signal }, (response) => {
      const status = response.statusCode ?? 0;
      response.on('error', () => undefined).destroy();
      resolve(status >= 200 && status <= 399);
    });
    request.on('error', () => {
      resolve(false);
    });
  });
}

/** A connection that is accepted passes; nothing is sent over it. */
export function checkTcp(
  address: { readonly host: string; readonly port: number },
  signal: AbortSignal,
): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve(false);
      return;
    }
    const socket = connect({ host: address.host, port: address.port });
    const end = (passed: boolean): void => {
      signal.removeEventListener('abort', abort);
      socket.destroy();
      resolve(passed);
    };
    const abort = (): void => {
      end(false);
    };
    signal.addEventListener('abort', abort);
    socket.once('connect', () => {
      end(true);
    });
    socket.on('error', abort);
  });
}

/** A command of the shell that exits 0 passes. Its whole session is ended with it. */
export async function checkExec(
  command: string,
  options: {
    readonly signal: AbortSignal;
    readonly environment: Readonly<Record<string, string>>;
    readonly deathSignal: boolean;
  },
): Promise<boolean> {
  if (options.signal.aborted || lackOfDescriptors() !== null) return false;
  const shell: [string, ...string[]] = ['sh', '-c', command];
  const [file, ...args]: [string, ...string[]] = options.deathSignal
    ? ['setpriv', '--pdeathsig', 'KILL', '--', ...shell]
    : shell;
  const subprocess = execa(file, args, {
    detached: true,
    cleanup: false,
    reject: false,
    verbose: 'none',
    env: options.environment,
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
  options.signal.addEventListener('abort', kill);
  const result = await subprocess;
  options.signal.removeEventListener('abort', kill);
  kill();
  return result.exitCode === 0;
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
