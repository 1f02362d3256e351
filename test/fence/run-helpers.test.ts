// What of all that has the workload lock's file open is ended with a run of this process, and what is not.
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { endRunHelpers } from '../../src/fence/run-helpers.ts';
import type { HelperSources } from '../../src/fence/run-helpers.ts';
import { ownIdentity } from '../../src/fence/process-identity.ts';
import { until } from '../support/until.ts';
import { hasEnded, place } from './helpers-place.ts';

it('a helper of this run ends, by KILL where it ignores TERM, also when the file was removed', async () => {
  const sources = place();
  const helper = await sources.start();
  const stubborn = await sources.start({ script: "trap '' TERM;" });
  rmSync(sources.lockPath);
  expect(await endRunHelpers(sources, 200)).toEqual([]);
  await until('their ends to be seen', () => hasEnded(helper) && hasEnded(stubborn));
  expect([helper.signalCode, stubborn.signalCode]).toEqual(['SIGTERM', 'SIGKILL']);
});

it('a helper ends that has a file which was replaced, and not what has only the one that is there', async () => {
  const sources = place();
  const helper = await sources.start();
  renameSync(sources.lockPath, `${sources.lockPath}.old`);
  writeFileSync(sources.lockPath, '');
  const stranger = await sources.start();
  expect(await endRunHelpers(sources, 1000)).toEqual([]);
  await until('its end to be seen', () => hasEnded(helper));
  expect(hasEnded(stranger)).toBe(false);
});

it('a helper that opens and closes other files all the time is found', async () => {
  const sources = place();
  const script = 'exec 9<&3 3<&-; trap "" TERM; echo up; while :; do exec 3</dev/null 3<&-; done;';
  for (let round = 0; round < 20; round += 1) {
    const helper = await sources.start({ script });
    expect(await endRunHelpers(sources, 0)).toEqual([]);
    await until('its end', () => hasEnded(helper));
  }
});

it('what is of another node or group, or has not got the file, is left alone', async () => {
  const sources = place();
  const spared = [
    await sources.start({ node: 'b' }),
    await sources.start({ group: 'other' }),
    await sources.start({ opens: false }),
  ];
  const helper = await sources.start();
  expect(await endRunHelpers(sources, 1000)).toEqual([]);
  await until('the end of the helper', () => hasEnded(helper));
  for (const { pid = 0 } of spared) expect(() => process.kill(pid, 0)).not.toThrow();
  expect(spared.map(hasEnded)).toEqual([false, false, false]);
});

it('a node that the workload started is left alone', async () => {
  const sources = place();
  const nested = await sources.start();
  const supervisor = { ...ownIdentity(), pid: nested.pid ?? 0 };
  const record = { supervisor } as unknown as ReturnType<HelperSources['listNodes']>[number];
  expect(await endRunHelpers({ ...sources, listNodes: () => [record] }, 1000)).toEqual([]);
  expect(hasEnded(nested)).toBe(false);
});
