// What the help of a command says below its options: exit codes, times, variables, and how to read it.

/** By the name of the command: what its exit code means, besides 1 and 2. */
const EXITS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  run: {
    '0': 'it was told to end and has, or the work of the group is completed',
    '4': 'the lease is held (--role primary), or the node id is taken',
    '6': 'it lost its lease or was fenced (--exit-on-demote)',
    '126': 'the command cannot be run',
    '127': 'the command is not found',
    N: "the command's own code, 128 + n for signal n (--restart never)",
  },
  up: {
    '0': 'all groups have stopped gracefully; or the file is valid and its groups could start (--check)',
    '2': 'a bad flag or value, or something wrong in the file, named with its line',
    N: 'the first group that ended otherwise ended with this code, as `run` would have',
  },
  init: { '0': 'the file is written' },
  status: {
    '0': 'there is a primary; of several groups: each has one',
    '1': 'the server of the lease cannot be asked whether there is one',
    '3': 'there is none; of several groups: one has none',
  },
  events: {
    '0': 'something is told, or it was followed until it was ended',
    '1': 'the server of the lease cannot be asked',
    '3': 'nothing is known',
  },
  explain: { '0': 'it is explained', '3': 'there is no such node, or none at all' },
  wait: {
    '0': 'the role is taken',
    '3': 'nobody is primary (--timeout 0)',
    '7': 'it was not in time',
  },
  demo: { '0': 'it went well', '7': 'a step did not happen in time', '130': 'ended by Ctrl-C' },
  simulate: {
    '0': 'every promise held, or a journal is decided the same',
    '1': 'a promise is broken, a decision differs, or an unexpected failure',
    '130': 'ended by Ctrl-C',
  },
  drill: {
    '0': 'everything held',
    '1': 'refused: the group is not fit for a drill, and nothing was touched',
    '2': 'a bad flag or value, named, or nobody has agreed',
    '3': 'there is no primary',
    '8': 'something did not hold, or not all could be tried: the certificate says what',
    '130': 'ended by Ctrl-C; what was stopped goes on',
  },
  promote: {
    '0': 'the node is primary',
    '3': 'there is no such node',
    '5': 'the promotion failed; the message says who leads now',
    '7': 'it was not done in time',
  },
  demote: {
    '0': 'it has stepped down',
    '3': 'there is no primary, or no such node',
    '7': 'it was not done in time',
  },
  pause: { '0': 'the group is paused' },
  resume: { '0': 'the group is not paused' },
  stop: {
    '0': 'nothing of it runs here',
    '3': 'there is no such node',
    '7': 'some did not end in time',
  },
  proxy: { '0': 'it was told to end and has' },
  dashboard: { '0': 'it was told to end and has' },
  doctor: { '0': 'no check fails', '1': 'a check fails, or an unexpected failure' },
  systemd: {
    '0': 'the unit is printed',
    '126': 'the command cannot be run',
    '127': 'the command is not found',
  },
  keygen: { '0': 'the key is made' },
  completion: { '0': 'the script is printed' },
  check: { '0': 'a primary answers', '3': 'there is none', '7': 'it was not done in time' },
};

/** What else is worth knowing about a command. */
const NOTES: Readonly<Record<string, string>> = {
  run: `A TIME is 250ms, 2s, 1m30s or 0. Each option but the first four can also be set by its variable,
such as FAILOVER_STOP_GRACE for --stop-grace; a flag goes before it. FAILOVER_GROUP and
FAILOVER_STATE_DIR are for the other commands, as in hooks: run gives them to what it starts, does not
read them, and says so where one is set to something else and its flag is not given.

On several machines without a server, with the same secret and command on each:
  $ failover run --lease peers --peers http://a:7400,http://b:7400 --secret-file secret -- node server.js`,
  up: `Beside \`groups\` the file may have \`defaults\` for all of them, \`variables\`, and what is for the process as a
whole, as the flags above. Each option of \`failover run\` is a key in camelCase: --stop-grace is stopGrace. A
flag goes before its variable (FAILOVER_STOP_GRACE), that before the file, that before the default.

SIGHUP reads the file again: groups that are new start, those that are gone stop, those that changed are
stopped and started; of a file with a mistake nothing is taken. A group that ends leaves the others alone.
The first SIGINT or SIGTERM stops all groups gracefully, the second at once.`,
  init: `FILE is one that \`failover up -f FILE\` takes as it is. Its first line tells editors where the schema is.`,
  status: `Without --group it is the only group of the state directory, or all where there are several, in a row each.
With --watch on a terminal keys promote, demote and pause: ? shows them.

heard     since a sign of life: of the primary as the others heard it, of others since they heard the primary.
lag       the most that the loop of the node was late in the last minute.
takeover  what the next in succession predicts. After a crash: from noticing it to the start of
          its command, as it measured in a rehearsal here; not with a lease on a server. After a
          hang: the most that its settings allow (timeout, probes, grace of the old command, or
          the time to live of the lease).
last      the last change of primary, and what it took by the clock of who took over.`,
  check: `The secondary that is next probes the primary. It takes over at once when the lease is free. A primary
that answers no probe counts as dead only after --heartbeat-timeout without any sign of life: what
was found and until when that takes is said at once, on stderr, and the takeover is waited for.`,
  drill: `It makes real trouble on the nodes that run now, and asks first:
  switchover      promote the next in succession
  workload-crash  SIGKILL to the main process of the primary's command
  starve          busy loops on all processors; nobody may take over
  crash           SIGKILL to the primary's node
  hang            SIGSTOP to the primary's node, which has to be fenced
A node that is killed or fenced stays away unless --restart-command brings it back, so
crash and hang are left out where no other secondary would stand by after them. The
command is run by \`sh -c\` with FAILOVER_GROUP, FAILOVER_STATE_DIR and FAILOVER_NODE.`,
  proxy: `What it answers itself has a header x-failover-error that says why: unsafe-in-flight (502) is a request that
may have been done by a primary that was lost, and is not repeated. GET, HEAD, OPTIONS, PUT and DELETE are
repeated, and what has an Idempotency-Key; the answer says so in x-failover-repeated.
The first SIGTERM stops it gracefully, the second at once. SIGUSR2 logs its counters. Each option can also be
set by its variable, such as FAILOVER_HOLD for --hold.`,
  dashboard: `It prints its address, with a token of its own behind #: whoever opens that may promote, demote, pause and
resume. Without --group it shows all groups of the state directory. Ctrl-C ends it; the groups go on.`,
  doctor: `ok       as it should be
warning  a node runs here, and not as well as it could
failure  no node would start, or it would not be safe
Checks run side by side, each within --timeout. What they make they remove.`,
  keygen: `PATH can be read by its owner only: give it to \`failover run --key-file PATH\`. The lines of the other
nodes' PATH.pub together are what --authorized-keys takes. Nothing is overwritten without --force.`,
  completion: `It completes commands, options, their values, groups of the state directory and nodes that live.

bash  where bash-completion is installed the example is all; else, in ~/.bashrc:
        source <(failover completion bash)
zsh   failover completion zsh > "\${fpath[1]}/_failover", before compinit; or, after it, in ~/.zshrc:
        source <(failover completion zsh)
fish  failover completion fish > ~/.config/fish/completions/failover.fish

The script asks failover at each Tab: a new version brings its commands along.`,
  explain: `last chance  the last time it doubted the primary or found the lease free, and what came of it
goes by      its evidence: signs of life of the primary, probes, its own lateness
waits        for what, and until when
A node that does not answer, or has ended, is told of by its journal, and it is said so.`,
  simulate: `It starts no process and touches no group.

--replay takes what --save wrote, or the journal of a node: it decides again what that node decided, and
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
    ? 'FAILOVER_GROUP, FAILOVER_STATE_DIR and FAILOVER_LEASE stand for the three flags.'
    : 'FAILOVER_GROUP and FAILOVER_STATE_DIR stand for the two flags.';
}

const EVERY_EXIT = { '1': 'refused, or an unexpected failure', '2': 'a bad flag or value, named' };

/** Numbers first: that is the order in which an object has them. */
function exitLines(exits: Readonly<Record<string, string>>): string {
  return Object.entries(exits)
    .map(([code, meaning]) => `  ${code.padEnd(5)}${meaning}`)
    .join('\n');
}
