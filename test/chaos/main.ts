// `npm run chaos`: plays cases until the time is over, and ends with 1 if any promise was broken.
import { spawnSync } from 'node:child_process';
import type { CaseResult } from './case.ts';
import { playCase } from './case.ts';
import { Cleaner } from './cleaner.ts';
import { readChaos } from './options.ts';
import type { ChaosOptions } from './options.ts';
import { drawCase } from './plan.ts';
import { asJson, asText, caseLine, faultLine, starveText, violationsOf } from './report.ts';
import type { RunResult } from './report.ts';
import { proveStarvation } from './starve.ts';
import { CLOCK_NEEDS, clockLibrary } from '../support/process-clock.ts';
import { LAUNCHER } from '../support/process-node.ts';
import { endWith } from '../support/tool-options.ts';

async function main(asked: ChaosOptions): Promise<number> {
  const cleaner = new Cleaner();
  const stop = new AbortController();
  const { signal } = stop;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      stop.abort(name);
    });
  }
  try {
    if (asked.starve !== null) return await starve(asked.starve, asked, { cleaner, signal });
    const result = await playCases(asked, { cleaner, signal });
    process.stdout.write(asked.json ? asJson(result) : asText(result));
    return violationsOf(result).length === 0 ? 0 : 1;
  } catch (error) {
    if (!signal.aborted) throw error;
    process.stderr.write(`chaos: ended by ${String(signal.reason)}\n`);
    return 130;
  } finally {
    await cleaner.close();
  }
}

interface Means {
  readonly cleaner: Cleaner;
  readonly signal: AbortSignal;
}

async function playCases(asked: ChaosOptions, { cleaner, signal }: Means): Promise<RunResult> {
  const { seed, kinds, without, rounds, escape } = asked;
  const uid = otherUser();
  const cases: CaseResult[] = [];
  const untilMs = performance.now() + asked.limitMs;
  const say = (text: string): void => {
    if (asked.verbose) process.stderr.write(text);
  };
  for (let index = asked.fromCase; index <= (asked.toCase ?? Infinity); index += 1) {
    if (cases.length > 0 && performance.now() > untilMs) break;
    const plan = drawCase({ seed, index, kinds, without, rounds, escape });
    say(caseLine(plan));
    const result = await playCase({
      ...{ plan, uid, signal, marginMs: asked.marginMs, keep: asked.keep },
      onFault: (fault) => {
        say(faultLine(plan, fault));
      },
      cleaner: {
        begin: (group) => {
          cleaner.begin(group);
          say(`case ${index}: in ${group.directory}, mark ${group.mark}\n`);
        },
        done: (group) => {
          cleaner.done(group);
        },
      },
    });
    cases.push(result);
    // What follows one violation is seldom a second one.
    if (result.violations.length > 0) break;
  }
  return { seed, cases, notes: notesFor(uid) };
}

async function starve(
  scale: NonNullable<ChaosOptions['starve']>,
  { verbose, json, marginMs }: ChaosOptions,
  { cleaner, signal }: Means,
): Promise<number> {
  const say = (text: string): void => {
    if (verbose) process.stderr.write(text);
  };
  const result = await proveStarvation({
    ...{ ...scale, marginMs, cleaner, signal, say },
    uid: otherUser(),
  });
  process.stdout.write(json ? `${JSON.stringify(result, null, 2)}\n` : starveText(result));
  return result.violations.length === 0 ? 0 : 1;
}

/** Nobody, where we are root and it can run us: the sockets of root are in one directory for all. */
function otherUser(): number | null {
  if (process.getuid?.() !== 0) return null;
  const probe = spawnSync(process.execPath, [LAUNCHER, '--version'], { uid: NOBODY, gid: NOBODY });
  return probe.status === 0 ? NOBODY : null;
}

const NOBODY = 65_534;

function notesFor(uid: number | null): string[] {
  const notes = ["the machine's own clock is left alone: the nodes alone see one that is set"];
  if (clockLibrary() === null) notes.push(`set-clock needs ${CLOCK_NEEDS}`);
  if (process.getuid?.() !== 0) notes.push('fill-disk needs root');
  if (uid === null) notes.push('remove-socket-dir needs root, and a checkout that others can read');
  return notes;
}

// Last, when all constants above have their values.
const options = readChaos(process.argv.slice(2));
if ('help' in options || 'wrong' in options) endWith('chaos', options);
process.exitCode = await main(options);
