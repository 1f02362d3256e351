// `failover demo`: three nodes, a crash, a hang and a switchover, measured and witnessed in one terminal.
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { counted } from '../../core/counted.ts';
import { FailoverError } from '../../errors.ts';
import { ask, livingNodes, lookAtGroup } from '../client.ts';
import { Deadline } from '../deadline.ts';
import { DEMO_GROUP, Stage } from '../demo/stage.ts';
import type { Start } from '../demo/witness.ts';
import { whenOutputIsLost } from '../output.ts';
import { colorLevel } from '../render/color.ts';
import type { Paint } from '../render/paint.ts';
import { humanMs } from '../../core/duration-text.ts';
import { paintFor } from '../render/plain.ts';

/** Each step is over in a fraction of this, also on a busy machine, ms. */
const STEP_LIMIT_MS = 15_000;

/**
 * Runs the demo and cleans up after it, also after Ctrl-C (exit code 130).
 *
 * @throws FAILOVER_TIMED_OUT when a step did not happen, FAILOVER_UNEXPECTED when two workloads ran at once
 */
export async function demo(): Promise<void> {
  const stage = new Stage();
  const interrupted = new Promise<number>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        resolve(130);
      });
    }
    whenOutputIsLost(resolve);
  });
  const tell = timeline(await paintFor(colorLevel(process.stdout)));
  const story = play(stage, tell);
  // It may fail after the interruption that ended it: nobody waits for it any more then.
  story.catch(() => undefined);
  try {
    process.exitCode = await Promise.race([story, interrupted]);
  } finally {
    await stage.close();
  }
  // What an interrupted story waits for does not come any more.
  process.exit();
}

type Tell = (text: string, tone?: keyof Paint) => void;

/** Lines with the time since the start of the demo. */
function timeline(paint: Paint): Tell {
  const startedAt = performance.now();
  return (text, tone) => {
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(2).padStart(6);
    process.stdout.write(`${paint.faint(`${seconds} s`)}  ${tone ? paint[tone](text) : text}\n`);
  };
}

/** Resolves with the exit code. */
async function play(stage: Stage, tell: Tell): Promise<number> {
  tell('Starting three nodes: a, b and c. The one with the lease runs the command.');
  for (const node of ['a', 'b', 'c']) stage.start(node);
  const first = await nextStart(stage, 0);
  tell(`${first.node} is primary, epoch ${first.epoch}: its command runs.`, 'good');
  await standbys(stage, 2);
  tell('The other two stand by.');
  const second = await crash(stage, first, tell);
  const third = await hang(stage, second, tell);
  await switchover(stage, { from: third, to: first.node, tell });
  conclude(stage, tell);
  return 0;
}

async function crash(stage: Stage, primary: Start, tell: Tell): Promise<Start> {
  tell(`Crash: SIGKILL to ${primary.node} and to its command.`, 'bad');
  const killedAt = performance.now();
  stage.signal(primary.node, 'SIGKILL');
  const next = await nextStart(stage, 1);
  const took = humanMs(next.atMs - killedAt);
  tell(
    `${next.node} is primary, epoch ${next.epoch}: its command runs ${took} after the kill.`,
    'good',
  );
  await standbys(stage, 1);
  return next;
}

async function hang(stage: Stage, primary: Start, tell: Tell): Promise<Start> {
  tell(`Hang: SIGSTOP to ${primary.node}. Its command keeps running unsupervised.`, 'bad');
  const stoppedAt = performance.now();
  stage.signal(primary.node, 'SIGSTOP');
  const next = await nextStart(stage, 2);
  const took = humanMs(next.atMs - stoppedAt);
  tell(
    `${next.node} found it silent, killed it and its command, and is primary, epoch ${next.epoch}: ` +
      `${took} after the stop.`,
    'good',
  );
  return next;
}

async function switchover(
  stage: Stage,
  { from, to, tell }: { readonly from: Start; readonly to: string; readonly tell: Tell },
): Promise<void> {
  tell(`${to} is restarted, then promoted manually while ${from.node} is healthy.`);
  stage.start(to);
  await standbys(stage, 1);
  const options = { group: DEMO_GROUP, stateDir: stage.stateDir };
  const target = livingNodes(await lookAtGroup(options)).find(({ record }) => record.node === to);
  if (target === undefined) throw missed(stage, `${to} is gone`);
  const answer = ask(target.record, {
    group: DEMO_GROUP,
    method: 'instance.promote',
    params: { force: false },
    timeoutMs: STEP_LIMIT_MS,
  });
  const [next] = await Promise.all([nextStart(stage, 3), answer]);
  tell(`${next.node} is primary, epoch ${next.epoch}, after a planned switchover.`, 'good');
}

function conclude(stage: Stage, tell: Tell): void {
  const { starts, faults } = stage.witness;
  if (faults.length > 0) {
    throw new FailoverError('FAILOVER_UNEXPECTED', `The demo failed: ${faults.join('; ')}`);
  }
  const order = starts.map(({ node, epoch }) => `${node} (${String(epoch)})`).join(', ');
  tell(`Witness: the command ran on ${order}, and never twice at once.`, 'strong');
}

async function nextStart(stage: Stage, index: number): Promise<Start> {
  const start = await stage.witness.start(index, STEP_LIMIT_MS);
  if (start === null) throw missed(stage, 'no command started');
  return start;
}

/** Resolves when so many secondaries follow the primary and would take over. */
async function standbys(stage: Stage, count: number): Promise<void> {
  const options = { group: DEMO_GROUP, stateDir: stage.stateDir };
  const deadline = new Deadline(STEP_LIMIT_MS);
  for (;;) {
    const statuses = livingNodes(await lookAtGroup(options)).flatMap(({ status }) => status ?? []);
    const ready = statuses.filter(({ phase, willing }) => phase === 'watching' && willing);
    const serving = statuses.some(({ phase }) => phase === 'serving');
    if (serving && ready.length >= count) break;
    if (deadline.hasPassed) throw missed(stage, `fewer than ${counted(count, 'node')} stand by`);
    await wait(20);
  }
  stage.rememberSockets();
}

function missed(stage: Stage, fact: string): FailoverError {
  const limit = humanMs(STEP_LIMIT_MS);
  const words = stage.lastWords();
  return new FailoverError(
    'FAILOVER_TIMED_OUT',
    `The demo stalled: ${fact} within ${limit}${words === '' ? '' : `\n${words}`}`,
    { hint: 'Run `failover demo` again; if it fails again, report it with this message.' },
  );
}
