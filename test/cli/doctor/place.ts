// A place that checks of a test look at: directories of its own, and a group that was made up.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Finding } from '../../../src/cli/doctor/check.ts';
import { CHECKS } from '../../../src/cli/doctor/checks.ts';
import type { Place } from '../../../src/cli/doctor/place.ts';
import { runChecks } from '../../../src/cli/doctor/run-checks.ts';
import { Workshop } from '../../../src/cli/doctor/workshop.ts';
import { parseLease } from '../../../src/config/lease-url.ts';
import { snapshotOf } from '../support/snapshot.ts';

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'fo-doctor-'));
  onTestFinished(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  return directory;
}

export function placeWith(change: Partial<Place> & { readonly leaseText?: string } = {}): Place {
  const stateDir = change.stateDir ?? temporaryDirectory();
  const leaseText = change.leaseText ?? 'file';
  const workshop = new Workshop(stateDir);
  onTestFinished(() => {
    workshop.clear();
  });
  return {
    group: 'web',
    stateDir,
    isDefaultStateDir: false,
    runtimeDir: join(stateDir, 'run'),
    lease: parseLease(leaseText),
    leaseText,
    limitMs: 5_000,
    files: { keyFile: null, authorizedKeys: null, secretFile: null },
    workshop,
    look: () => Promise.resolve(snapshotOf(null, [])),
    ...change,
  };
}

/** What one check of the table finds. */
export async function find(id: string, place: Place): Promise<Finding> {
  const [found] = await runChecks(
    CHECKS.filter((check) => check.id === id),
    place,
  );
  if (found === undefined) throw new Error(`the check ${id} does not apply`);
  const { status, fact, advice } = found;
  return { status, fact, advice };
}
