// What ends a fault when the drill can't: small processes that wait for the end of a pipe.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { FailoverError } from '../../errors.ts';
import type { ProcessIdentity } from '../../lease/lease-store.ts';

/** A process beside the drill that undoes a fault when it is told, or the drill is gone however it went. */
export interface Guard {
  /** Undoes the fault; resolves once that is done. Idempotent. */
  release(): Promise<void>;
}

/**
 * Continues a process once the drill lets go of it, ends or is killed, and after `limitMs` at the latest.
 * It has to be there before the process is stopped, and is when this resolves. Like the drill it looks at
 * who the process is right before it signals.
 *
 * @throws FAILOVER_UNEXPECTED when it can't be started; nothing may be stopped then
 */
export function guardStopped(target: ProcessIdentity, limitMs: number): Promise<Guard> {
  return startGuard(CONTINUE, [String(target.pid), target.startTime, seconds(limitMs)]);
}

/**
 * Keeps processors busy with so many loops, until it is told to end them, or as above. Each loop also has
 * a limit of its own that the kernel keeps, for the case that the guard itself is killed.
 */
export function startLoops(count: number, limitMs: number): Promise<Guard> {
  return startGuard(LOOPS, [String(count), seconds(limitMs)]);
}

/** How long a guard may take to start, or to undo its fault, ms. */
const GUARD_LIMIT_MS = 10_000;

/**
 * Waits for the end of its input, for $1 seconds at most: nothing that a terminal sends ends it before, nor that nobody
 * is left to be told that it is ready.
 */
const WAIT = `
trap '' HUP INT TERM PIPE
hold() {
  echo ready
  if command -v timeout >/dev/null 2>&1; then timeout -s KILL "$1" cat >/dev/null; else cat >/dev/null; fi
}
`;

/** $1 pid, $2 its start time (field 22 of its stat, which begins after the name with field 3), $3 seconds. */
const CONTINUE = `${WAIT}
pid=$1 start=$2
hold "$3"
stat=$(tr '\\n' ' ' 2>/dev/null <"/proc/$pid/stat") || exit 0
set -- "$pid" "$start" \${stat##*) }
[ "\${22}" = "$start" ] && kill -s CONT "$pid"
exit 0
`;

/** $1 how many, $2 seconds. A loop is our child until it is waited for: its pid is nobody else's. */
const LOOPS = `${WAIT}
pids= i=0
while [ "$i" -lt "$1" ]; do
  (ulimit -t "$2"; while :; do :; done) </dev/null >/dev/null 2>&1 &
  pids="$pids $!" i=$((i + 1))
done
hold "$2"
kill -s KILL $pids
wait
exit 0
`;

async function startGuard(script: string, words: readonly string[]): Promise<Guard> {
  // A session of its own: Ctrl-C reaches the drill alone.
  const child = spawn('sh', ['-c', script, 'failover-drill-guard', ...words], {
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  // One that has ended took its end of the pipe with it.
  child.stdin.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => {
      resolve();
    });
  });
  const ready = new Promise<'ready'>((resolve) => {
    child.stdout.once('data', () => {
      resolve('ready');
    });
  });
  child.once('error', () => undefined);
  if ((await within(Promise.race([ready, ended]))) === 'ready') {
    return { release: () => releaseGuard(child, ended) };
  }
  child.stdin.end();
  throw new FailoverError(
    'FAILOVER_UNEXPECTED',
    'Cannot drill: the process that would undo the fault did not start',
    { hint: 'Check that `sh` can be run and that processes can be started.' },
  );
}

async function releaseGuard(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.stdin?.end();
  await within(ended);
}

/** Undefined: not in time. */
async function within<Value>(event: Promise<Value>): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => {
      resolve(undefined);
    }, GUARD_LIMIT_MS);
  });
  try {
    return await Promise.race([event, limit]);
  } finally {
    clearTimeout(timer);
  }
}

function seconds(ms: number): string {
  return String(Math.max(1, Math.ceil(ms / 1000)));
}
