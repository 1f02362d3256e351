// FailoverError and the one table of codes: what each is called, exits with and advises.

/**
 * Every operating error there is. The exit code is what the command line ends with, `rpcCode` what a
 * JSON-RPC answer carries: above -32000, outside the range that JSON-RPC 2.0 reserves. No code is
 * ever reused.
 */
export const ERRORS = {
  FAILOVER_USAGE: {
    exitCode: 2,
    rpcCode: -31001,
    hint: 'Run `failover --help` to see commands and options.',
  },
  FAILOVER_BAD_GROUP: {
    exitCode: 2,
    rpcCode: -31002,
    hint: 'Use 1 to 64 of the characters A-Z a-z 0-9 . _ - and neither `.` nor `..` alone.',
  },
  FAILOVER_BAD_NODE_ID: {
    exitCode: 2,
    rpcCode: -31003,
    hint: 'Use 1 to 64 of the characters A-Z a-z 0-9 . _ - and neither `.` nor `..` alone.',
  },
  FAILOVER_BAD_OPTION: { exitCode: 2, rpcCode: -31004, hint: 'Give {option} {expected}.' },
  FAILOVER_SETTINGS_CONFLICT: {
    exitCode: 2,
    rpcCode: -31005,
    hint: 'Change one of the settings named above.',
  },
  FAILOVER_STATE_DIR_NOT_WRITABLE: {
    exitCode: 2,
    rpcCode: -31006,
    hint: 'Point --state-dir at a directory that this user can write to.',
  },
  FAILOVER_STATE_DIR_NOT_A_DIRECTORY: {
    exitCode: 2,
    rpcCode: -31007,
    hint: 'Remove what is in the way, or point --state-dir at another directory.',
  },
  FAILOVER_STATE_DIR_FULL: {
    exitCode: 1,
    rpcCode: -31008,
    hint: 'Free up space or inodes on the file system of the state directory.',
  },
  FAILOVER_PATH_TOO_LONG: {
    exitCode: 2,
    rpcCode: -31009,
    hint: 'Point --state-dir at a directory with a shorter path.',
  },
  FAILOVER_FILE_SYSTEM_NOT_LOCAL: {
    exitCode: 2,
    rpcCode: -31010,
    hint: 'Point --state-dir at a directory on a local file system, or set --lease-ttl if several machines share this one.',
  },
  FAILOVER_NO_KERNEL_LOCK: {
    exitCode: 2,
    rpcCode: -31011,
    hint: 'Point --state-dir at a file system with open-file-description locks, or set --lease-ttl if several machines share this one.',
  },
  FAILOVER_OTHER_BOOT: {
    exitCode: 2,
    rpcCode: -31012,
    hint: 'Give each host its own --state-dir, or set --lease-ttl if all of them share this one.',
  },
  FAILOVER_NO_PRIMARY: {
    exitCode: 3,
    rpcCode: -31013,
    hint: 'Run `failover status --group {group}` to see why; start a node, or end a pause with `failover resume --group {group}`.',
  },
  FAILOVER_NO_NODE: {
    exitCode: 3,
    rpcCode: -31014,
    hint: 'Run `failover status --group {group}` to list the nodes.',
  },
  FAILOVER_LEASE_HELD: {
    exitCode: 4,
    rpcCode: -31015,
    hint: 'Start with `--role auto` to stand by, or fence the holder of a local lease with `failover promote --force --group {group}`, if its --fence setting permits it.',
  },
  FAILOVER_NODE_TAKEN: {
    exitCode: 4,
    rpcCode: -31016,
    hint: 'Choose another id with --node, or stop the node that has this one.',
  },
  FAILOVER_PROMOTION_FAILED: {
    exitCode: 5,
    rpcCode: -31017,
    hint: 'Run `failover status --group {group}` to see what the node reports.',
  },
  FAILOVER_TIMED_OUT: {
    exitCode: 7,
    rpcCode: -31019,
    hint: 'Run `failover status --group {group}` to see what it is waiting for, or set a longer --timeout.',
  },
  FAILOVER_COMMAND_NOT_EXECUTABLE: {
    exitCode: 126,
    rpcCode: -31020,
    hint: 'Make it executable with `chmod +x`, or run it through its interpreter.',
  },
  FAILOVER_COMMAND_NOT_FOUND: {
    exitCode: 127,
    rpcCode: -31021,
    hint: 'Check the spelling and PATH, or use the full path.',
  },
  FAILOVER_RECORD_UNREADABLE: {
    exitCode: 1,
    rpcCode: -31022,
    hint: 'Inspect the file named above; it is never repaired or removed automatically.',
  },
  FAILOVER_LEASE_LOST: {
    exitCode: 1,
    rpcCode: -31023,
    hint: 'Run `failover status --group {group}` to see which node leads now.',
  },
  FAILOVER_ADDRESS_IN_USE: {
    exitCode: 1,
    rpcCode: -31024,
    hint: 'Stop the process that uses the address, or choose another address.',
  },
  FAILOVER_NOT_PERMITTED: {
    exitCode: 1,
    rpcCode: -31025,
    hint: 'Run the command as the user who owns the process or file, or as root.',
  },
  FAILOVER_REFUSED: {
    exitCode: 1,
    rpcCode: -31026,
    hint: 'Run `failover status --group {group}` to see the state that prevents it.',
  },
  FAILOVER_WIRE_INVALID: {
    exitCode: 1,
    rpcCode: -31027,
    hint: 'Run the same version of failover on every node of the group.',
  },
  FAILOVER_NODE_UNREACHABLE: {
    exitCode: 1,
    rpcCode: -31028,
    hint: 'Check that the node runs: `failover status --group {group}`.',
  },
  FAILOVER_OTHER_NAMESPACE: {
    exitCode: 2,
    rpcCode: -31030,
    hint: 'Run all nodes of a group in one pid namespace (`docker run --pid=container:NAME`, Kubernetes `shareProcessNamespace`).',
  },
  FAILOVER_OUT_OF_DESCRIPTORS: {
    exitCode: 1,
    rpcCode: -31031,
    hint: 'Raise the open file limit (`ulimit -n`).',
  },
  FAILOVER_STORE_UNREACHABLE: {
    exitCode: 1,
    rpcCode: -31032,
    hint: 'Check that the server is running and reachable from this machine; a node keeps retrying.',
  },
  FAILOVER_STORE_REFUSED: {
    exitCode: 2,
    rpcCode: -31033,
    hint: "Check the address, the user, the password and the user's permissions.",
  },
  FAILOVER_CLIENT_MISSING: {
    exitCode: 2,
    rpcCode: -31034,
    hint: 'Install it alongside failover with `npm install {install}` (add -g if failover is installed globally).',
  },
  FAILOVER_BAD_KEY_FILE: {
    exitCode: 2,
    rpcCode: -31045,
    hint: 'Generate a key with `failover keygen`.',
  },
  FAILOVER_NO_UPSTREAM: {
    exitCode: 1,
    rpcCode: -31060,
    hint: 'Check that at least one upstream is running and passes its health check.',
  },
  FAILOVER_BAD_CONFIG: {
    exitCode: 2,
    rpcCode: -31070,
    hint: 'Correct the file and validate it with `failover up --check`.',
  },
  FAILOVER_UNEXPECTED: {
    exitCode: 1,
    rpcCode: -31029,
    hint: 'Report it, including the command, the version and this message.',
  },
} as const;

/** The name of an operating error, stable across versions. */
export type ErrorCode = keyof typeof ERRORS;

/** One row of the table. */
interface ErrorEntry {
  readonly exitCode: number;
  readonly rpcCode: number;
  /** One imperative sentence; `{name}` is filled from the error's details. */
  readonly hint: string;
}

/** What an error may carry beside its message. */
export interface FailoverErrorOptions {
  /** What caused it: kept for logs, never shown to a user as a stack trace. */
  readonly cause?: unknown;
  /** A hint for this case, in place of the table's. */
  readonly hint?: string;
  /** Fills `{name}` in the table's hint. */
  readonly details?: Readonly<Record<string, string | number>>;
  /** An exit code for this case (128 + n, the workload's own), in place of the table's. */
  readonly exitCode?: number;
  /** What the message sums up, where that is several things: a line each. */
  readonly facts?: readonly string[];
}

/**
 * An operating error: something that a user or another program can act on.
 *
 * The message says what could not be done, then the fact with value and unit; `hint` is one
 * imperative sentence. A broken invariant is no FailoverError, and an expected outcome (a lease
 * denied, a probe unanswered) is a value.
 */
export class FailoverError extends Error {
  override readonly name = 'FailoverError';
  readonly code: ErrorCode;
  readonly hint: string;
  readonly exitCode: number;
  /** What the message sums up, a line each; most errors are one thing, and have none. */
  readonly facts: readonly string[];
  /** The error's code in a JSON-RPC answer. */
  readonly rpcCode: number;

  constructor(code: ErrorCode, message: string, options: FailoverErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    const entry: ErrorEntry = ERRORS[code];
    this.code = code;
    this.hint = options.hint ?? fillHint(entry.hint, options.details ?? {});
    this.exitCode = options.exitCode ?? entry.exitCode;
    this.facts = options.facts ?? [];
    this.rpcCode = entry.rpcCode;
  }
}

/** The code of a JSON-RPC answer's number, or `null` for a number that is not ours. */
export function errorCodeOfRpc(rpcCode: number): ErrorCode | null {
  for (const [code, entry] of Object.entries(ERRORS)) {
    if (entry.rpcCode === rpcCode && isErrorCode(code)) return code;
  }
  return null;
}

/** Whether a text (of a message from another node, say) is the name of an error of the table. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERRORS, text);
}

/** One row of the exit codes that the command line ends with. */
export interface ExitCodeEntry {
  readonly code: string;
  readonly meaning: string;
}

/** What each exit code means, for the help and the manual. */
export const EXIT_CODES: readonly ExitCodeEntry[] = [
  { code: '0', meaning: 'success; `status`: there is a primary; `check`: it answers' },
  { code: '1', meaning: 'refused, a failed check (`doctor`), or an unexpected failure' },
  { code: '2', meaning: 'usage error: an invalid flag, value or setting, named in the message' },
  { code: '3', meaning: 'no primary (`status`, `check`, `wait`), or no such node' },
  { code: '4', meaning: 'the lease is held, or the node id is taken' },
  { code: '5', meaning: 'the promotion failed' },
  {
    code: '6',
    meaning: 'this node lost its lease or was fenced, and `--exit-on-demote` was set',
  },
  { code: '7', meaning: 'timed out (`wait`, `promote`, `demote`, `stop`, `check`)' },
  { code: '8', meaning: 'a fault did not hold, or not every fault was tried (`drill`)' },
  { code: '126', meaning: 'the command cannot be executed' },
  { code: '127', meaning: 'the command was not found' },
  { code: '128 + n', meaning: 'the command was killed by signal n' },
  {
    code: 'N',
    meaning:
      "the workload's own code, with `--restart never`; the `exit` log event tells whose code it was",
  },
];

/** Fills `{name}` in a hint; where a detail is missing, a placeholder in capitals stands for it. */
function fillHint(hint: string, details: Readonly<Record<string, string | number>>): string {
  return hint.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    String(details[name] ?? name.toUpperCase()),
  );
}
