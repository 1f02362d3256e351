// What the gate is: a shell that waits at a pipe for its lines, and becomes the command.
import type { GateMessage } from './environment.ts';

/** The signal that the kernel sends to a process when its parent dies. */
export type DeathSignal = 'TERM' | 'KILL';

/** Typed as what it always is: a program and its arguments. `parent`: the pid of the process that runs it. */
export function gateCommand(
  request: { readonly command: readonly string[]; readonly deathSignal: DeathSignal | null },
  parent: number,
): [string, ...string[]] {
  const gate: [string, ...string[]] = [
    'sh',
    '-c',
    GATE_SCRIPT,
    'failover-gate',
    String(parent),
    ...request.command,
  ];
  if (request.deathSignal === null) return gate;
  return ['setpriv', '--pdeathsig', request.deathSignal, '--', ...gate];
}

/** What is put before the command, the last first: the variables that a shell can't take from its environment. */
export function gateWords(
  command: readonly string[],
  environment: Readonly<Record<string, string>>,
): readonly string[] {
  const pairs = unnameableVariables(environment);
  return pairs.length === 0 ? [] : [...plainCommand(command), ...pairs];
}

/** What opens a gate. */
export function openingText(message: GateMessage, words: readonly string[]): string {
  const { role, epoch, previous, reason } = message;
  const start = words.length === 0 ? 'start' : 'start-with';
  return `${[role, epoch, previous, reason, ...words, start].join('\n')}\n`;
}

/** What a gate exits with that closed before it opened. */
const GATE_CLOSED_EXIT_CODE = 125;

/**
 * Reads the four lines of a `GateMessage`, then `NAME=value` lines, then the word that starts it.
 *
 * The supervisor's pid is compared after the death signal was asked for: had it died before, the
 * signal would never come. Variables that the shell can't name (`npm_config_//…`, an exported bash
 * function) are lost in it, so they come through the pipe and `env` sets them; nowhere else could
 * they be handed over without showing them in the process list for as long as the gate waits.
 */
const GATE_SCRIPT = `[ "$PPID" = "$1" ] || exit ${GATE_CLOSED_EXIT_CODE}
shift
IFS= read -r FAILOVER_ROLE && IFS= read -r FAILOVER_EPOCH &&
IFS= read -r FAILOVER_PREVIOUS && IFS= read -r FAILOVER_REASON || exit ${GATE_CLOSED_EXIT_CODE}
export FAILOVER_ROLE FAILOVER_EPOCH FAILOVER_PREVIOUS FAILOVER_REASON
while IFS= read -r FAILOVER_GATE; do
  case $FAILOVER_GATE in
    start) unset FAILOVER_GATE; exec "$@" </dev/null ;;
    start-with) unset FAILOVER_GATE; exec env -- "$@" </dev/null ;;
  esac
  FAILOVER_GATE=$(printf '%b.' "$FAILOVER_GATE")
  set -- "\${FAILOVER_GATE%.}" "$@"
done
exit ${GATE_CLOSED_EXIT_CODE}`;

/**
 * `env` takes a program with an `=` in its path for one more variable, and runs what follows it. `nice`
 * takes it for a program, and with 0 changes nothing.
 */
function plainCommand([program = '']: readonly string[]): string[] {
  return program.includes('=') ? ['--', '0', '-n', 'nice'] : [];
}

/**
 * `NAME=value` in the escapes of printf's %b, for each name that a POSIX shell does not pass on, of this
 * process's environment and what is set on top of it.
 */
function unnameableVariables(environment: Readonly<Record<string, string>>): string[] {
  const pairs: string[] = [];
  // By name: reading the value of every variable costs more than all the rest.
  for (const name of new Set([...Object.keys(process.env), ...Object.keys(environment)])) {
    if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) continue;
    const value = environment[name] ?? process.env[name] ?? '';
    pairs.push(`${name}=${value}`.replaceAll('\\', '\\\\').replaceAll('\n', '\\n'));
  }
  return pairs;
}
