// What the help of a command says below its options: exit codes, times, variables, and how to read it.

/** By the name of the command: what its exit code means, besides 1 and 2. */
const EXITS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  run: {
    '0': "stopped as requested, or the group's work is completed",
    '4': 'the lease is held (--role primary), or the node id is taken',
    '6': 'the node lost its lease or was fenced (--exit-on-demote)',
    '126': 'the command cannot be executed',
    '127': 'the command was not found',
    N: "the command's own exit code, or 128 + n for signal n (--restart never)",
  },
  up: {
    '0': 'all groups have stopped gracefully; or the file is valid and its groups could start (--check)',
    '2': 'an invalid flag or value, or an error in the file, reported with its line',
    N: 'the exit code of the first group that did not stop gracefully, as for `run`',
  },
  init: { '0': 'the file was written' },
  status: {
    '0': 'there is a primary; with several groups: each has one',
    '1': 'the lease server cannot be reached',
    '3': 'there is no primary; with several groups: at least one has none',
  },
  events: {
    '0': 'events were printed, or followed until interrupted',
    '1': 'the lease server cannot be reached',
    '3': 'no events are known',
  },
  explain: { '0': 'the explanation was printed', '3': 'there is no such node, or no node at all' },
  wait: {
    '0': 'a node has the role',
    '3': 'there is no primary (--timeout 0)',
    '7': 'timed out',
  },
  demo: { '0': 'all steps succeeded', '7': 'a step timed out', '130': 'interrupted by Ctrl-C' },
  simulate: {
    '0': 'every guarantee held, or the journal replays identically',
    '1': 'a guarantee was violated, a decision differs, or an unexpected failure',
    '130': 'interrupted by Ctrl-C',
  },
  drill: {
    '0': 'every fault held',
    '1': 'refused: the group is not ready for a drill; nothing was touched',
    '2': 'an invalid flag or value, named, or no confirmation',
    '3': 'there is no primary',
    '8': 'a fault did not hold, or not every fault could be tried; see the certificate',
    '130': 'interrupted by Ctrl-C; stopped processes are resumed',
  },
  promote: {
    '0': 'the node is primary',
    '3': 'there is no such node',
    '5': 'the promotion failed; the message names the current primary',
    '7': 'timed out',
  },
  demote: {
    '0': 'the node has stepped down',
    '3': 'there is no primary, or no such node',
    '7': 'timed out',
  },
  pause: { '0': 'the group is paused' },
  resume: { '0': 'the group is not paused' },
  stop: {
    '0': 'no node of the group is running on this machine',
    '3': 'there is no such node',
    '7': 'some nodes did not exit in time',
  },
  proxy: { '0': 'stopped as requested' },
  dashboard: { '0': 'stopped as requested' },
  doctor: { '0': 'all checks passed', '1': 'a check failed, or an unexpected failure' },
  systemd: {
    '0': 'the unit was printed',
    '126': 'the command cannot be executed',
    '127': 'the command was not found',
  },
  keygen: { '0': 'the key was created' },
  completion: { '0': 'the script was printed' },
  check: { '0': 'the primary answers', '3': 'there is no primary', '7': 'timed out' },
};

/** What else is worth knowing about a command. */
const NOTES: Readonly<Record<string, string>> = {
  run: `A TIME is 250ms, 2s, 1m30s or 0. Every option except the first four can also be set by its environment
variable, such as FAILOVER_STOP_GRACE for --stop-grace; the flag takes precedence. FAILOVER_GROUP and
FAILOVER_STATE_DIR are for the other commands, for example in hooks: run sets them for the processes it starts
but does not read them, and warns if one differs from its own setting and the flag is not given.

On several machines without a server, with the same secret and command on each:
  $ failover run --lease peers --peers http://a:7400,http://b:7400 --secret-file secret -- node server.js`,
  up: `Besides \`groups\`, the file may contain \`defaults\` for all groups, \`variables\`, and settings of the whole
process, like the flags above. Each option of \`failover run\` is a key in camelCase: --stop-grace is stopGrace.
Precedence: flag, environment variable (FAILOVER_STOP_GRACE), file, default.

SIGHUP reloads the file: new groups start, removed groups stop, and changed groups stop and start again. A file
with an error is rejected as a whole. A group that ends does not affect the others.
The first SIGINT or SIGTERM stops all groups gracefully, the second at once.`,
  init: `FILE is ready to use with \`failover up -f FILE\`. Its first line tells editors where to find the schema.`,
  status: `Without --group it shows the only group of the state directory, or all of them, one per row.
With --watch on a terminal, keys promote, demote and pause: press ? for help.

heard     time since the last sign of life: of the primary, as heard by the others; of other nodes, since they
          last heard the primary.
lag       the longest delay of the node's event loop in the last minute.
takeover  the time that the next node in succession predicts. After a crash: from detection to the start of its
          command, as measured in a rehearsal on that machine; not with a lease on a server. After a hang: the
          most that its settings allow (timeout, probes, grace of the old command, or the lease's time to live).
last      the last change of primary, and how long it took by the clock of the node that took over.`,
  check: `The next node in succession probes the primary and takes over at once if the lease is free. A primary that
does not answer the probe counts as dead only after --heartbeat-timeout without any sign of life: the command
then reports on stderr what was found and how long that takes, and waits for the takeover.`,
  drill: `Injects real faults into the running nodes, after asking for confirmation:
  switchover      promote the next node in succession
  workload-crash  SIGKILL to the main process of the primary's command
  starve          busy loops on all processors; no node may take over
  crash           SIGKILL to the primary's node
  hang            SIGSTOP to the primary's node, which must be fenced
A node that is killed or fenced stays down unless --restart-command restarts it, so crash and hang are skipped
if no other secondary would be standing by afterwards. The command is run by \`sh -c\` with FAILOVER_GROUP,
FAILOVER_STATE_DIR and FAILOVER_NODE set.`,
  proxy: `Responses from the proxy itself have an x-failover-error header with the reason: unsafe-in-flight (502) is a
request that a lost primary may have executed, so it is not retried. GET, HEAD, OPTIONS, PUT and DELETE are
retried, as are requests with an Idempotency-Key; the response then has an x-failover-repeated header.
The first SIGTERM stops it gracefully, the second at once. SIGUSR2 logs its counters. Each option can also be
set by its environment variable, such as FAILOVER_HOLD for --hold.`,
  dashboard: `Prints its address, with a token after #: anyone who opens that address may promote, demote, pause and
resume. Without --group it shows all groups of the state directory. Ctrl-C ends it; the groups keep running.`,
  doctor: `ok       as it should be
warning  a node can run here, but not as well as it could
failure  a node would not start, or would not be safe
Checks run in parallel, each limited by --timeout. They remove everything they create.`,
  keygen: `Only its owner can read PATH: use it with \`failover run --key-file PATH\`. The lines of all other nodes'
PATH.pub files together form the file for --authorized-keys. Nothing is overwritten without --force.`,
  completion: `Completes commands, options, their values, groups of the state directory and live nodes.

bash  with bash-completion installed, the example is enough; otherwise, in ~/.bashrc:
        source <(failover completion bash)
zsh   failover completion zsh > "\${fpath[1]}/_failover", before compinit; or, after it, in ~/.zshrc:
        source <(failover completion zsh)
fish  failover completion fish > ~/.config/fish/completions/failover.fish

The script calls failover at each Tab, so a new version brings its new commands along.`,
  explain: `last chance  the last time it suspected the primary or found the lease free, and the outcome
goes by      its evidence: signs of life of the primary, probes, its own delays
waits        what for, and until when
A node that does not answer, or has exited, is explained from its journal, and the output says so.`,
  simulate: `Starts no process and touches no group.

--replay takes a file written by --save, or the journal of a node: it repeats the decisions of that node and
shows where this version decides differently.
  $ failover simulate --replay STATE_DIR/web/journal/RUN.jsonl`,
};

/** The text below the options of a command. */
export function notesOf(name: string, example: string): string {
  const parts = [`Example:\n  $ ${example}`];
  const note = NOTES[name];
  if (note !== undefined) parts.push(note);
  if (!OF_NO_GROUP.has(name)) parts.push(variablesOf(name));
  const exits = EXITS[name];
  if (exits !== undefined) parts.push(`Exit codes:\n${exitLines({ ...EVERY_EXIT, ...exits })}`);
  return `\n${parts.join('\n\n')}`;
}

/** The commands that are no clients of a group. */
const OF_NO_GROUP: ReadonlySet<string> = new Set([
  ...['run', 'demo', 'simulate', 'keygen', 'completion', 'systemd'],
  ...['up', 'init'],
]);

/** Those that may ask the server of a lease. */
const OF_SERVER: ReadonlySet<string> = new Set([
  ...['status', 'explain', 'events', 'pause', 'resume', 'proxy', 'dashboard', 'doctor'],
]);

function variablesOf(name: string): string {
  return OF_SERVER.has(name)
    ? 'FAILOVER_GROUP, FAILOVER_STATE_DIR and FAILOVER_LEASE set --group, --state-dir and --lease.'
    : 'FAILOVER_GROUP and FAILOVER_STATE_DIR set --group and --state-dir.';
}

const EVERY_EXIT = {
  '1': 'refused, or an unexpected failure',
  '2': 'an invalid flag or value, named in the message',
};

/** Numbers first: that is the order in which an object has them. */
function exitLines(exits: Readonly<Record<string, string>>): string {
  return Object.entries(exits)
    .map(([code, meaning]) => `  ${code.padEnd(5)}${meaning}`)
    .join('\n');
}
