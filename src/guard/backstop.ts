// The backstop: a shell beside each guard that ends what the guard watches over when that is killed itself. The
// kernel then ends the guard's child at once, but not what that has started.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { SessionRecord } from '../lease/lease-store.ts';

/** A child of the guard, so that a workload never meets it; it holds nothing but the end of a pipe. */
export class Backstop {
  #shell: ChildProcess | null = null;
  #sessions = '';
  #isDismissed = false;

  /** From now on these sessions end with the guard, and no others. */
  watch(sessions: readonly SessionRecord[]): void {
    const named = sessions.map(({ process: { pid, startTime } }) => `${String(pid)}/${startTime}`);
    const line = named.join(' ');
    if (line === this.#sessions) return;
    this.#sessions = line;
    if (this.#shell === null) this.#start();
    else this.#tell(this.#shell);
  }

  /** The guard ends in order: nothing is left to be ended. */
  dismiss(): void {
    this.#isDismissed = true;
    this.#shell?.kill('SIGKILL');
  }

  #start(): void {
    if (this.#isDismissed) return;
    let shell: ChildProcess;
    try {
      // A guard that is killed before it can write has told its sessions all the same.
      const argument = this.#sessions.length < ARGUMENT_LIMIT ? this.#sessions : '';
      shell = spawn('sh', ['-c', SCRIPT, 'failover-backstop', argument], {
        cwd: '/',
        detached: true,
        stdio: ['pipe', 'ignore', 'ignore'],
      });
    } catch {
      this.#startAgain();
      return;
    }
    const gone = (): void => {
      if (this.#shell !== shell) return;
      this.#shell = null;
      this.#startAgain();
    };
    this.#shell = shell;
    shell.once('error', gone);
    shell.once('exit', gone);
    shell.stdin?.on('error', () => undefined);
    this.#tell(shell);
  }

  /** Somebody ended it, or the system had nothing left for it. */
  #startAgain(): void {
    setTimeout(() => {
      if (this.#shell === null) this.#start();
    }, PAUSE_MS);
  }

  #tell(shell: ChildProcess): void {
    shell.stdin?.write(`${this.#sessions}\n`);
  }
}

/** Between two attempts to have one, ms. */
const PAUSE_MS = 100;

/** The system starts nothing that has an argument of 128 KiB: thousands of sessions. */
const ARGUMENT_LIMIT = 100_000;

/**
 * Takes `PID/START-TIME ...` as its argument, and then as lines to the end of the pipe, of which the last counts;
 * then kills the members of these sessions, over and over until none is left: one that forks is found by its
 * children.
 *
 * A session is another one where its first process has another start time. In /proc/PID/stat the name, which may
 * hold brackets, spaces and ends of lines, is what comes before the last bracket; then the 1st field is the state,
 * the 4th the session, the 18th the threads (a process whose first thread alone has ended reads as a zombie), and
 * the 20th when it started. About 20 ms for a hundred processes, and done within half a minute.
 */
const SCRIPT = `trap '' HUP INT QUIT TERM TSTP
watched=$1
while IFS= read -r line; do watched=$line; done
stat() {
  text=
  while IFS= read -r part; do text=$text$part; done <"/proc/$1/stat" || return 1
  [ -n "$text" ] && fields=\${text##*") "}
}
sessions=
for named in $watched; do
  if stat "\${named%/*}"; then
    set -- $fields
    [ "\${20}" = "\${named#*/}" ] || continue
  fi
  sessions="$sessions \${named%/*} "
done
[ -n "$sessions" ] || exit 0
round=0
while [ "$round" -lt 500 ]; do
  round=$((round + 1))
  left=
  for directory in /proc/[0-9]*; do
    pid=\${directory#/proc/}
    stat "$pid" || continue
    set -- $fields
    case $sessions in *" $4 "*) ;; *) continue ;; esac
    case $1 in X | x) continue ;; Z) [ "\${18}" -gt 1 ] || continue ;; esac
    kill -KILL "$pid"
    left=1
  done
  [ -n "$left" ] || exit 0
  [ "$round" -lt 5 ] || sleep 0.05 || sleep 1
done`;
