// One `failover run` as a process of its own, and what it has said.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';

/** One line of `--log-format json`. */
export interface LogLine {
  readonly event: string;
  readonly node?: string;
  readonly time?: string;
  readonly from?: string;
  readonly to?: string;
  readonly role?: string;
  readonly epoch?: number;
  readonly reason?: string;
  readonly exitCode?: number;
  readonly takeover?: { readonly gapMs: number | null; readonly kind: string } | null;
}

export interface NodeLaunch {
  readonly id: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly uid: number | null;
  readonly cwd: string;
  readonly through?: readonly string[];
}

/** What a person calls `failover`. */
export const LAUNCHER: string = join(import.meta.dirname, '..', '..', 'bin', 'failover.js');

export interface ClientResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command of a client that goes on until it has done its work, or is told to end. */
export class ClientProcess {
  stdout = '';
  stderr = '';
  readonly pid: number;
  /** To its end. */
  readonly done: Promise<ClientResult>;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.pid = child.pid ?? -1;
    child.stdout?.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.done = new Promise((resolve) => {
      child.once('close', (code) => {
        resolve({ code, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  /** Null while it runs; else its exit code, or the name of the signal that ended it. */
  get end(): number | string | null {
    return this.#child.exitCode ?? this.#child.signalCode;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  type(keys: string): void {
    this.#child.stdin?.write(keys);
  }
}

export function startClient(launch: Omit<NodeLaunch, 'id'>): ClientProcess {
  return new ClientProcess(spawnLauncher(launch));
}

/** What a person has a shell do; `$LAUNCHER` is the command. */
export function startShell(
  script: string,
  { env, cwd }: Pick<NodeLaunch, 'env' | 'cwd'>,
): ClientProcess {
  return new ClientProcess(
    spawn('sh', ['-c', script], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] }),
  );
}

/**
 * A command of a client on a terminal of its own, whose keys are typed with `type`. Everything that it
 * writes comes on stdout. Without a size it is a terminal that does not know its own, as many programs
 * that start others on one make it.
 */
export function startOnTerminal(
  { args, env, cwd }: Omit<NodeLaunch, 'id' | 'uid'>,
  size: { readonly rows: number; readonly columns: number } | null,
  next?: string,
): ClientProcess {
  const { rows, columns } = size ?? { rows: 0, columns: 0 };
  const words = [process.execPath, LAUNCHER, ...args].map((word) => `'${word}'`).join(' ');
  const then = next === undefined ? `exec ${words}` : `${words}; code=$?; ${next}; exit $code`;
  const command = `stty rows ${rows} columns ${columns}; ${then}`;
  const child = spawn('script', ['-qefc', command, '/dev/null'], {
    cwd,
    env: { ...env, TERM: 'xterm-256color' },
    stdio: 'pipe',
  });
  return new ClientProcess(child);
}

export class NodeProcess {
  readonly id: string;
  readonly pid: number;
  /** Everything it has logged, in order. */
  readonly log: LogLine[] = [];
  /** What the workload and its hooks wrote to stdout. */
  output = '';
  /** What came on stderr and was no line of the log. */
  stray = '';
  /** Told of each line of the log as it comes. */
  onLine: ((line: LogLine) => void) | null = null;
  readonly #child: ChildProcess;
  #rest = '';
  #killed = false;

  constructor(launch: NodeLaunch) {
    this.id = launch.id;
    this.#child = spawnLauncher(launch);
    this.pid = this.#child.pid ?? -1;
    this.#child.stdout?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#take(chunk.toString());
    });
  }

  /** Whether it was sent SIGKILL by the test: it could leave nothing in order. */
  get killed(): boolean {
    return this.#killed;
  }

  /** Null while it runs; else its exit code, or the name of the signal that ended it. */
  get end(): number | string | null {
    return this.#child.exitCode ?? this.#child.signalCode;
  }

  /** Whether it has said its last word, and only the process itself has yet to end. */
  get isDone(): boolean {
    return this.log.at(-1)?.event === 'exit';
  }

  /** The phase that the last transition led to. */
  get phase(): string {
    return this.transitions.at(-1)?.to ?? 'listening';
  }

  get epoch(): number {
    return this.transitions.at(-1)?.epoch ?? 0;
  }

  get transitions(): readonly LogLine[] {
    return this.log.filter(({ event }) => event === 'transition');
  }

  get warnings(): readonly string[] {
    return this.log.flatMap(({ event, reason }) => (event === 'warning' ? [reason ?? ''] : []));
  }

  /** How often it has entered a phase. */
  timesIn(phase: string): number {
    return this.transitions.filter(({ to }) => to === phase).length;
  }

  /** By its id, which nobody else can have before we have waited for it. */
  kill(signal: NodeJS.Signals): void {
    this.#killed ||= signal === 'SIGKILL';
    this.#child.kill(signal);
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const parsed = parseLine(line);
      if (parsed === null) {
        this.stray += `${line}\n`;
        continue;
      }
      this.log.push(parsed);
      this.onLine?.(parsed);
    }
  }
}

function spawnLauncher(launch: Omit<NodeLaunch, 'id'>): ChildProcess {
  const { args, env, uid, cwd, through = [] } = launch;
  const owner = uid === null ? {} : { uid, gid: uid };
  const [program = process.execPath, ...words] = [...through, process.execPath, LAUNCHER, ...args];
  return spawn(program, words, {
    ...owner,
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** A workload that writes a line in parts, as `sh` does, may have one of ours in the middle of its own. */
function parseLine(line: string): LogLine | null {
  const start = line.indexOf(LINE_START);
  if (start < 0) return null;
  try {
    // The log of our own program, whose form other tests check.
    return JSON.parse(line.slice(start)) as LogLine;
  } catch {
    return null;
  }
}

/** Of the log in JSON. */
const LINE_START = '{"level":"';
