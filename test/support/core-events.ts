// Turns one line of a scenario into the event it names, with what is not said filled in.
import type { EventBody, HolderInspection } from '../../src/core/event.ts';
import type { HealthStatus, ToldDemotions } from '../../src/core/health.ts';
import type { Granted } from '../../src/core/lease-term.ts';
import type { LeaseHolder, LeaseObservation, StopOrder } from '../../src/core/state.ts';
import { Words } from './core-words.ts';

type Builder = (words: Words) => EventBody;

/** Builds the event of `name` from its words. */
export function eventFromWords(name: string, text: string): EventBody {
  const build = new Map(Object.entries(BUILDERS)).get(name);
  if (build === undefined) throw new Error(`there is no event ${name}`);
  const words = new Words(text);
  const event = build(words);
  words.assertAllUsed();
  return event;
}

/** The holder called `node`, in its life `run`. */
export function holderNamed(node: string, run = `${node}1`): LeaseHolder {
  return { node, run, endpoints: { bus: `bus-${run}`, rpc: `rpc-${run}` } };
}

function observation(words: Words): LeaseObservation {
  const node = words.optional('holder');
  const run = words.text('run', `${node ?? ''}1`);
  const held = words.has('held') || (node !== null && !words.has('free'));
  words.has('free');
  const waitsFor = words.list('waits-for').map(Number);
  const isApart = words.has('apart');
  const notBefore = words.optionalNumber('not-before');
  return {
    epoch: words.number('epoch', 0),
    held,
    holder:
      node === null ? null : { ...holderNamed(node, run), ...(isApart ? { apart: true } : {}) },
    recordUnreadable: words.has('unreadable'),
    touch: words.optional('touch'),
    paused: words.has('paused'),
    ...(waitsFor.length === 0 ? {} : { waitsFor }),
    ...(notBefore === null ? {} : { notBefore }),
  };
}

function inspection(words: Words): HolderInspection {
  const seen = observation(words);
  const process = words.choice('process', [
    'sleeping',
    'running',
    'stopped',
    'uninterruptible',
    'ending',
    'none',
  ]);
  const overMs = words.optionalNumber('over');
  return {
    observation: seen,
    holder: seen.held ? words.choice('by', ['ours', 'foreign', 'elsewhere']) : 'none',
    description: words.text('description', `process 100, ${process}`),
    process: process === 'none' ? null : process,
    sample:
      overMs === null
        ? null
        : { overMs, onCpuMs: words.number('cpu', 0), waitingMs: words.number('waiting', 0) },
    cpuPressure: words.optionalNumber('pressure'),
  };
}

/** With `asked=`, of a lease with a time to live. */
function granted(words: Words): Granted | null {
  const askedAt = words.optionalNumber('asked');
  return askedAt === null ? null : { askedAt, ttlMs: words.number('ttl', 3_000) };
}

function stopOrder(words: Words): StopOrder {
  return {
    exitCode: words.number('exit', 0),
    reason: words.text('reason', 'SIGTERM'),
    immediate: words.has('immediate'),
  };
}

function sender(words: Words): {
  readonly node: string;
  readonly run: string;
  readonly epoch: number;
} {
  const node = words.text('from', 'a');
  return { node, run: words.text('run', `${node}1`), epoch: words.number('epoch', 1) };
}

function healthTold(words: Words): { readonly health?: HealthStatus } {
  if (!words.has('health')) return {};
  return { health: words.choice('health', ['healthy', 'unhealthy', 'unknown']) };
}

/** `demotions=2:5000`: two, the last one 5 s ago. */
function demotionsTold(words: Words): { readonly demotions?: ToldDemotions } {
  const text = words.optional('demotions');
  if (text === null) return {};
  const [count = '', agoMs = '0'] = text.split(':');
  return { demotions: { count: Number(count), agoMs: Number(agoMs) } };
}

/** Asked for at another time than now, where the line says so. */
function asked<Told extends EventBody>(words: Words, told: Told): Told {
  const askedAt = words.optionalNumber('asked');
  return askedAt === null ? told : { ...told, askedAt };
}

/** One builder for each kind of event: a new kind without one does not compile. */
const BUILDERS: Readonly<Record<EventBody['type'], Builder>> = {
  started: () => ({ type: 'started' }),
  'time-passed': () => ({ type: 'time-passed' }),
  'stop-requested': (w) => ({
    type: 'stop-requested',
    order: stopOrder(w),
    requestId: w.optional('request'),
  }),
  'suspend-requested': () => ({ type: 'suspend-requested' }),
  'suspend-withdrawn': () => ({ type: 'suspend-withdrawn' }),
  'enabled-changed': (w) => ({ type: 'enabled-changed', enabled: !w.has('off') && w.has('on') }),
  'lease-observed': (w) => asked(w, { type: 'lease-observed', observation: observation(w) }),
  'lease-changed': () => ({ type: 'lease-changed' }),
  'peers-listed': (w) => ({
    type: 'peers-listed',
    // node:priority, or node:priority:ms since it was seen
    peers: w.list('peers').map((peer) => {
      const [node = '', priority = '100', seenAgoMs = '0'] = peer.split(':');
      const numbers = { priority: Number(priority), seenAgoMs: Number(seenAgoMs) };
      return { node, run: `${node}1`, ...numbers };
    }),
  }),
  'lease-granted': (w) => ({
    type: 'lease-granted',
    epoch: w.number('epoch', 1),
    previous: w.optional('previous'),
    granted: granted(w),
  }),
  'lease-renewed': (w) => ({
    type: 'lease-renewed',
    askedAt: w.number('asked', 0),
    ttlMs: w.number('ttl', 3_000),
  }),
  'lease-denied': (w) => ({
    type: 'lease-denied',
    cause: w.choice('cause', ['held', 'lost-race', 'foreign-lockfile', 'completed']),
    waitsFor: w.list('waits-for').map(Number),
    observation: observation(w),
  }),
  'lease-failed': (w) => ({
    type: 'lease-failed',
    order: w.choice('order', ['acquire', 'advance', 'renew', 'complete', 'release', 'observe']),
    code: w.text('code', 'FAILOVER_STATE_DIR'),
    message: w.text('message', 'the disk is gone'),
  }),
  'epoch-advanced': (w) => ({ type: 'epoch-advanced', epoch: w.number('epoch', 1) }),
  'completion-recorded': () => ({ type: 'completion-recorded' }),
  'lease-lost': (w) => ({
    type: 'lease-lost',
    cause: w.text('cause', 'primary.lock was removed'),
    withinMs: w.number('within', 0),
  }),
  'lease-released': (w) => ({
    type: 'lease-released',
    heldBy: w.optional('held-by'),
  }),
  'holder-inspected': (w) => asked(w, { type: 'holder-inspected', inspection: inspection(w) }),
  'fence-finished': (w) => ({
    type: 'fence-finished',
    outcome: w.choice('outcome', [
      'killed',
      'gone',
      'stale',
      'spared-stopped',
      'not-permitted',
      'foreign',
      'elsewhere',
      'not-released',
    ]),
    detail: w.text('detail', 'process 100'),
  }),
  'leftovers-cleared': (w) => ({ type: 'leftovers-cleared', ended: w.number('ended', 0) }),
  'leftovers-remain': (w) => ({
    type: 'leftovers-remain',
    detail: w.text('detail', 'process 200 is left alone'),
  }),
  'heartbeat-received': (w) => {
    const priority = w.optionalNumber('priority');
    const standing = priority === null ? {} : { standing: { priority, chosen: w.has('chosen') } };
    return {
      type: 'heartbeat-received',
      ...sender(w),
      phase: w.has('promoting') ? 'promoting' : 'primary',
      succession: w.list('succession'),
      lastTakeover: null,
      ...standing,
      ...healthTold(w),
      ...demotionsTold(w),
    };
  },
  'promoted-received': (w) => ({ type: 'promoted-received', ...sender(w) }),
  'shutdown-received': (w) => ({
    type: 'shutdown-received',
    ...sender(w),
    reason: w.text('reason', 'SIGTERM'),
    successor: w.optional('successor'),
    completed: w.has('completed'),
    planned: !w.has('unplanned'),
    workloadEndedAgoMs: w.optionalNumber('ended-ago'),
    ...demotionsTold(w),
  }),
  'connection-lost': (w) => ({ type: 'connection-lost', run: w.text('run', 'a1') }),
  'probe-answered': (w) => ({
    type: 'probe-answered',
    probe: w.number('probe', 1),
    run: w.text('run', 'a1'),
    epoch: w.number('epoch', 1),
    role: w.text('role', 'primary'),
    version: w.text('version', '1.0.0'),
  }),
  'probe-failed': (w) => ({
    type: 'probe-failed',
    probe: w.number('probe', 1),
    cause: w.text('cause', 'no answer within 500 ms'),
  }),
  'standby-heard': (w) => ({
    type: 'standby-heard',
    standby: {
      node: w.text('from', 'c'),
      run: w.text('run', 'c1'),
      willing: !w.has('unwilling'),
      priority: w.number('priority', 100),
      standby: 'cold',
      version: '1.0.0',
      standingByMs: w.number('for', 1000),
      ...healthTold(w),
    },
  }),
  'proxy-attached': (w) => ({
    type: 'proxy-attached',
    proxy: w.text('from', 'p'),
    epoch: w.number('epoch', 1),
  }),
  'proxy-drained': (w) => ({
    type: 'proxy-drained',
    proxy: w.text('from', 'p'),
    epoch: w.number('epoch', 1),
  }),
  'demotion-answered': (w) => ({
    type: 'demotion-answered',
    accepted: !w.has('refused'),
    detail: w.text('detail', w.has('refused') ? 'it is being restarted' : 'stepping down'),
  }),
  'workload-armed': () => ({ type: 'workload-armed' }),
  'workload-disarmed': (w) => ({
    type: 'workload-disarmed',
    detail: w.text('detail', 'the gate ended with signal SIGKILL'),
  }),
  'workload-activated': () => ({ type: 'workload-activated' }),
  'workload-ready': () => ({ type: 'workload-ready' }),
  'workload-failed': (w) => ({
    type: 'workload-failed',
    code: w.text('code', 'FAILOVER_COMMAND_NOT_FOUND'),
    message: w.text('message', 'the command server is not found'),
  }),
  'workload-ended': (w) => ({
    type: 'workload-ended',
    exitCode: w.has('signal') ? null : w.number('exit', 1),
    signal: w.optional('signal'),
  }),
  'health-checked': (w) => ({
    type: 'health-checked',
    number: w.number('number', 1),
    outcome: w.choice('outcome', ['passed', 'failed', 'timed-out', 'not-made']),
    detail: w.text('detail', 'it answered 503'),
    cpuPressure: w.optionalNumber('pressure'),
  }),
  'workload-stop-failed': (w) => ({
    type: 'workload-stop-failed',
    message: w.text('message', 'the process table cannot be read'),
  }),
  'workload-stopped': () => ({ type: 'workload-stopped' }),
  'workload-deactivated': () => ({ type: 'workload-deactivated' }),
  'hook-finished': (w) => ({
    type: 'hook-finished',
    hook: w.choice('hook', ['promote', 'demote']),
    ok: !w.has('failed'),
    detail: w.text('detail', w.has('failed') ? 'exit code 3' : 'exit code 0'),
  }),
  'promote-requested': (w) => ({
    type: 'promote-requested',
    requestId: w.text('request', 'r1'),
    force: w.has('force'),
    answerEarly: w.has('early'),
  }),
  'demote-requested': (w) => ({
    type: 'demote-requested',
    requestId: w.text('request', 'r1'),
    successor: w.optional('successor'),
    holdMs: w.optionalNumber('hold'),
    answerEarly: w.has('early'),
    preempting: w.has('preempting'),
  }),
  'check-requested': (w) => ({
    type: 'check-requested',
    requestId: w.text('request', 'r1'),
    answerEarly: w.has('early'),
  }),
};
