// `failover simulate`: the core against a simulated machine, millions of steps of trouble, and what broke.
import { randomInt } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  openSync,
  readSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setImmediate as breathe } from 'node:timers/promises';
import { messageOf } from '../../error-message.ts';
import type { FailoverError } from '../../errors.ts';
import { useAllCompilers } from '../compilers.ts';
import { badOption, wholeNumber } from '../flag-values.ts';
import { Campaign } from '../../simulation/campaign.ts';
import { FAULT_KINDS, isFaultKind } from '../../simulation/faults.ts';
import type { FaultKind } from '../../simulation/faults.ts';
import { isPossible } from '../../simulation/plan.ts';
import { play } from '../../simulation/play.ts';
import type { LeaseKind } from '../../simulation/profile.ts';
import {
  failureLine,
  progressLine,
  stepsPerSecond,
  summaryLines,
} from '../../simulation/report.ts';
import { shrink } from '../../simulation/shrink.ts';
import { TranscriptError, readTranscript, writeTranscript } from '../../simulation/transcript.ts';

/** The flags as they were given; those that were not are null. */
interface SimulateFlags {
  readonly seed: string | null;
  readonly steps: string | null;
  readonly nodes: string | null;
  readonly lease: string | null;
  readonly faults: string | null;
  readonly replay: string | null;
  readonly save: string | null;
  readonly json: boolean;
}

/**
 * Simulates, or plays a transcript again; exit code 1 when a promise is broken, 130 after Ctrl-C.
 *
 * @throws FAILOVER_BAD_OPTION
 */
export async function simulate(given: Readonly<Record<string, unknown>>): Promise<void> {
  const flags = readFlags(given);
  useAllCompilers();
  if (flags.replay !== null) await replay(flags.replay, flags.json);
  else await explore(flags);
}

async function explore(flags: SimulateFlags): Promise<void> {
  const seed = wholeNumber('--seed', flags.seed, { least: 0, most: MOST }) ?? randomInt(2 ** 31);
  const steps = wholeNumber('--steps', flags.steps, { least: 1, most: MOST }) ?? 1;
  const nodes = wholeNumber('--nodes', flags.nodes, { least: 1, most: 50 });
  const lease = leaseKindOf(flags.lease ?? 'file');
  const kinds = flags.faults === null ? FAULT_KINDS : kindsOf(flags.faults, lease);
  if (flags.save !== null) requireWritable(flags.save);
  const campaign = new Campaign({ seed, steps, nodes, lease, kinds });
  const startedAt = performance.now();
  const interrupted = await runAll(campaign, steps);
  const pace = { tookMs: performance.now() - startedAt };
  const { failure } = campaign;
  const transcript = failure === null ? null : writeTranscript(shrink(failure.plan));
  if (flags.json) {
    const { totals } = campaign;
    const violation = failure === null ? null : { seed: failure.seed, ...failure.violation };
    const perSecond = stepsPerSecond(totals, pace);
    write(JSON.stringify({ v: 1, seed, ...totals, perSecond, violation, transcript }, null, 2));
  } else {
    write([`seed ${String(seed)}`, ...summaryLines(campaign, pace)].join('\n'));
  }
  if (transcript !== null) keep(transcript, failure?.seed ?? seed, flags);
  if (failure !== null) process.exitCode = 1;
  else if (interrupted) process.exitCode = 130;
}

/** Runs until it is over or Ctrl-C; true: it was interrupted. */
async function runAll(campaign: Campaign, goal: number): Promise<boolean> {
  const interruption = new AbortController();
  const interrupt = (): void => {
    interruption.abort();
  };
  process.once('SIGINT', interrupt);
  const show = progress();
  while (!campaign.isOver && !interruption.signal.aborted) {
    campaign.run();
    show(() => progressLine(campaign.totals, goal));
    // Lets a signal in.
    await breathe();
  }
  show(null);
  process.removeListener('SIGINT', interrupt);
  return interruption.signal.aborted;
}

/** One line on a terminal that is written over, a few times a second; null wipes it out. */
function progress(): (line: (() => string) | null) => void {
  if (!process.stderr.isTTY) return () => undefined;
  let shownAt = 0;
  return (line) => {
    const now = performance.now();
    if (line !== null && now - shownAt < PROGRESS_INTERVAL_MS) return;
    shownAt = now;
    process.stderr.write(`\r\u001b[K${line === null ? '' : line()}`);
  };
}

/** Shows what happens, step by step. */
async function replay(path: string, json: boolean): Promise<void> {
  const text = understood(path, () => contentOf(path));
  const { looksLikeJournal } = await import('../../journal/read-journal.ts');
  if (looksLikeJournal(text)) {
    const { replayOfNode } = await import('../journal-replay.ts');
    const { lines, report, isSame } = replayOfNode(text, (fact) =>
      badReplay(`${path} cannot be replayed: ${fact}`),
    );
    write(json ? JSON.stringify(report, null, 2) : lines.join('\n'));
    if (!isSame) process.exitCode = 1;
    return;
  }
  const plan = understood(path, () => readTranscript(text));
  const tell = (atMs: number, line: string): void => {
    write(`${atMs.toFixed(1).padStart(10)} ms  ${line}`);
  };
  const { violation, steps, digest } = play(plan, json ? {} : { tell });
  if (json) write(JSON.stringify({ v: 1, steps, digest, violation }, null, 2));
  else write(violation === null ? 'Every guarantee held.' : failureLine({ violation }));
  if (violation !== null) process.exitCode = 1;
}

function understood<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const fact = messageOf(error);
    throw badReplay(
      error instanceof TranscriptError ? `${path} is not a transcript: ${fact}` : fact,
    );
  }
}

/** The text of a file, a pipe or a device: no more of it than shows that it is too long. */
function contentOf(path: string): string {
  const fd = openSync(path, 'r');
  try {
    const content = Buffer.alloc(TRANSCRIPT_LIMIT_BYTES + 1);
    let length = 0;
    for (let read = 1; read > 0; length += read) {
      read = readSync(fd, content, length, content.length - length, null);
    }
    if (length <= TRANSCRIPT_LIMIT_BYTES) return content.toString('utf8', 0, length);
    throw new TranscriptError(`it has more than ${String(TRANSCRIPT_LIMIT_BYTES)} bytes`);
  } finally {
    closeSync(fd);
  }
}

function badReplay(fact: string): FailoverError {
  return badOption('--replay', fact, 'a file written by --save, or the journal of a node');
}

/** What was found after hours has to have a place to go to. */
function requireWritable(path: string): void {
  const wanted = 'a file that can be written';
  const isThere = existsSync(path);
  if (isThere && statSync(path).isDirectory()) {
    throw badOption('--save', `${path} is a directory`, wanted);
  }
  try {
    accessSync(isThere ? path : dirname(path), constants.W_OK);
  } catch (error) {
    throw badOption('--save', messageOf(error), wanted);
  }
}

/** Where the transcript of a failure goes: into the file that was asked for, else after the summary. */
function keep(transcript: string, seed: number, { save, json }: SimulateFlags): void {
  const again = `failover simulate --replay ${save ?? 'FILE'}`;
  if (save !== null) writeFileSync(save, transcript);
  else if (!json)
    write(`\nThe shortest run that violates it, seed ${String(seed)}:\n${transcript}`);
  process.stderr.write(`failover: replay it with \`${again}\`\n`);
}

function readFlags(given: Readonly<Record<string, unknown>>): SimulateFlags {
  const text = (key: string): string | null => {
    const value = given[key];
    return typeof value === 'string' ? value : null;
  };
  return {
    seed: text('seed'),
    steps: text('steps'),
    nodes: text('nodes'),
    lease: text('lease'),
    faults: text('faults'),
    replay: text('replay'),
    save: text('save'),
    json: given['json'] === true,
  };
}

function leaseKindOf(text: string): LeaseKind {
  if (text === 'file' || text === 'timed') return text;
  throw badOption(
    '--lease',
    `"${text}" is not a kind of lease that can be simulated`,
    'file or timed',
  );
}

function kindsOf(text: string, lease: LeaseKind): readonly FaultKind[] {
  const possible = FAULT_KINDS.filter((kind) => isPossible(kind, { nodes: Infinity, lease }));
  return text.split(',').map((word) => {
    const kind = word.trim();
    if (isFaultKind(kind) && possible.includes(kind)) return kind;
    const known = `some of ${possible.join(', ')}, separated by commas`;
    throw badOption('--faults', `"${kind}" is not a fault of a ${lease} lease`, known);
  });
}

function write(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Seeds are 32-bit numbers; as many steps take days. */
const MOST = 2 ** 32 - 1;

/** Tens of thousands of faults. */
const TRANSCRIPT_LIMIT_BYTES = 4_000_000;

const PROGRESS_INTERVAL_MS = 100;
