// `failover doctor`: what this machine offers a node of the group, and what to do where that is not enough.
import { parseLease } from '../../config/lease-url.ts';
import type { DoctorOptions } from '../../config/load-doctor.ts';
import { defaultRuntimeDir, defaultStateDir } from '../../config/state-dir.ts';
import type { Health } from '../doctor/check.ts';
import { CHECKS } from '../doctor/checks.ts';
import type { Place } from '../doctor/place.ts';
import { runChecks } from '../doctor/run-checks.ts';
import type { CheckResult } from '../doctor/run-checks.ts';
import { Workshop } from '../doctor/workshop.ts';
import { packageVersion } from '../../version.ts';
import { lookAtGroup } from '../client.ts';
import type { GroupSnapshot } from '../client.ts';
import { exitUnlessEnded } from '../ending.ts';
import { colorLevel } from '../render/color.ts';
import { doctorLines } from '../render/doctor-text.ts';
import { paintFor } from '../render/plain.ts';

/** What `doctor --json` prints. Keys are added in later versions, never changed or removed. */
export interface Examination {
  readonly v: 1;
  readonly version: string;
  readonly group: string;
  readonly stateDir: string;
  /** Without user and password. */
  readonly lease: string;
  /** The gravest of all. */
  readonly status: Health;
  readonly checks: readonly CheckResult[];
}

/** Prints what was found; exit code 1 where a check fails. */
export async function doctor(
  options: DoctorOptions & { readonly timeoutMs: number; readonly json: boolean },
): Promise<void> {
  const stateDir = options.stateDir ?? defaultStateDir();
  const workshop = new Workshop(stateDir);
  const endNow = endAtSignals(workshop);
  const place = placeOf(options, workshop);
  const checks = await runChecks(CHECKS, place);
  workshop.clear();
  endNow();
  const examination: Examination = {
    v: 1,
    version: packageVersion(),
    group: options.group,
    stateDir,
    lease: place.lease.shown,
    status: gravest(checks),
    checks,
  };
  const paint = await paintFor(colorLevel(process.stdout));
  const text = options.json
    ? JSON.stringify(examination, null, 2)
    : doctorLines(examination, paint).join('\n');
  process.stdout.write(`${text}\n`);
  process.exitCode = examination.status === 'failure' ? 1 : 0;
  exitUnlessEnded();
}

function placeOf(
  options: DoctorOptions & { readonly timeoutMs: number },
  workshop: Workshop,
): Place {
  const { group, stateDir, lease = 'file', timeoutMs } = options;
  let snapshot: Promise<GroupSnapshot> | null = null;
  return {
    group,
    stateDir: stateDir ?? defaultStateDir(),
    isDefaultStateDir: stateDir === null,
    runtimeDir: defaultRuntimeDir(),
    lease: parseLease(lease),
    leaseText: lease,
    limitMs: timeoutMs,
    files: options,
    workshop,
    look: () => (snapshot ??= lookAtGroup(options)),
  };
}

/** Nothing is left behind by one that is ended either. Returns what takes that back. */
function endAtSignals(workshop: Workshop): () => void {
  const clear = (): void => {
    workshop.clear();
  };
  process.on('exit', clear);
  const ends = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((signal) => {
    const end = (): void => {
      clear();
      process.off(signal, end);
      process.kill(process.pid, signal);
    };
    process.on(signal, end);
    return (): void => {
      process.off(signal, end);
    };
  });
  return () => {
    for (const takeBack of ends) takeBack();
    process.off('exit', clear);
  };
}

function gravest(checks: readonly CheckResult[]): Health {
  const statuses = checks.map(({ status }) => status);
  if (statuses.includes('failure')) return 'failure';
  return statuses.includes('warning') ? 'warning' : 'ok';
}
