// `failover doctor` as a person runs it: beside nodes that live, where something is wrong, and ended half-way.
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Examination } from '../../src/cli/commands/doctor.ts';
import { inGroup } from '../support/process-group.ts';

it('finds nothing wrong beside nodes that live, and leaves nothing; a node that is stopped fails', async () => {
  await inGroup(async (group) => {
    const a = await group.start('a');
    await group.reaches(a, 'serving');
    const before = readdirSync(group.stateDir);
    // On a busy machine a node may not answer in time, and what is tried may take too long.
    const { well, told } = await group.until('nothing to be wrong', async () => {
      const result = await group.client('doctor', '--json');
      const examined = JSON.parse(result.stdout) as Examination; // as the manual has it
      const isWrong = examined.checks.some(({ id, status, fact }) => {
        return status === 'failure' || (id === 'nodes' && fact.includes('does not answer'));
      });
      return isWrong ? null : { well: result, told: examined };
    });
    expect(Object.keys(told)).toEqual([
      ...['v', 'version', 'group', 'stateDir', 'lease', 'status', 'checks'],
    ]);
    expect(Object.keys(told.checks[0] ?? {})).toEqual(['id', 'status', 'fact', 'advice', 'tookMs']);
    expect(told.checks.find(({ id }) => id === 'nodes')?.fact).toContain('1 node');
    expect([well.code, well.stderr]).toEqual([0, '']);
    expect(readdirSync(group.stateDir)).toEqual(before);

    const file = join(group.stateDir, 'no-directory');
    writeFileSync(file, '');
    const bad = await group.client('doctor', '--state-dir', file);
    expect(bad.stdout).toContain('is not a directory');
    expect(bad.stdout.trimEnd().split('\n').at(-1)).toMatch(
      /^\d+ ok, \d+ warnings?, \d+ failures?$/,
    );
    expect(bad.code).toBe(1);
  });
});
