// Nodes that are killed in the middle of a write: what is left of it is known, and goes.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { groupPaths } from '../../src/lease/file/group-paths.ts';
import { StrayFiles } from '../../src/lease/file/stray-files.ts';
import { inGroup } from '../support/process-group.ts';
import type { Group } from '../support/process-group.ts';
import { shimmed } from '../support/process-shimmed.ts';

it.each([
  ['the probe of the file system', 'openSync /probe. after'],
  ['the record of a node', 'renameSync /nodes/ before'],
  ['primary.lock', 'linkSync /primary.lock before'],
  ['workload.lock', 'linkSync /workload.lock before'],
])('%s', (_what, at) =>
  inGroup(async (group) => {
    const a = group.launch('a', { env: shimmed({ SHIM_AT: `${at} SIGKILL` }) });
    expect(await group.ends(a)).toBe('SIGKILL');
    expect(unfinished(group)).toHaveLength(1);
    let now = 0;
    const stray = new StrayFiles(groupPaths(group.groupDir), () => now);
    expect(stray.collect()).toBe(0);
    // It is in nobody's way.
    const b = await group.start('b');
    await group.active(1);
    await group.reaches(b, 'serving');
    now = 60_000;
    expect(stray.collect()).toBe(1);
    expect(unfinished(group)).toEqual([]);
  }),
);

function unfinished(group: Group): string[] {
  return ['', 'nodes', 'claims', 'marks'].flatMap((name) =>
    readdirSync(join(group.groupDir, name)).filter((entry) => entry.endsWith('.tmp')),
  );
}
