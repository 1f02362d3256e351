// Whose a process is by its environment: of the directory that its words name to it, not of one that sounds the same.
import { spawnSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readMark } from '../../src/fence/process-view.ts';
import { Stage } from './stage.ts';

let stage: Stage;
beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.close());

const OWN_MOUNTS = ['unshare', '-m'] as const;

async function markOf(
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<ReturnType<typeof readMark>> {
  const actor = await stage.startCommand(command, { env: { ...stage.mark('a'), ...env } });
  return readMark(actor.identity.pid, stage.sources);
}

/** A process that sees something else under the name of our directory. */
function behindMount(then: string): readonly string[] {
  const script = `mount -t tmpfs none "$1"; ${then}; echo ready; exec sleep 1000`;
  return [...OWN_MOUNTS, 'sh', '-c', script, 'sh', stage.stateDir];
}

it('another name of the same directory is ours', async () => {
  const other = `${stage.stateDir}/../${stage.stateDir.split('/').at(-1) ?? ''}`;
  const command = ['sh', '-c', 'echo ready; exec sleep 1000'];
  expect(await markOf(command, { FAILOVER_STATE_DIR: other })).toMatchObject({ node: 'a' });
  const link = `${stage.stateDir}/link`;
  symlinkSync(stage.stateDir, link);
  expect(await markOf(command, { FAILOVER_STATE_DIR: link })).toMatchObject({ node: 'a' });
  expect(await markOf(command, { FAILOVER_STATE_DIR: '/tmp' })).toBeNull();
});

it('in the middle of an exec it is still so', async () => {
  // A program that replaces itself, over and over.
  const script = join(stage.stateDir, 'again.sh');
  writeFileSync(script, '[ "$1" = again ] || echo ready; exec sh "$0" again');
  const { pid } = (await stage.startCommand(['sh', script], { env: stage.mark('a') })).identity;
  const nodes = Array.from({ length: 500 }, () => readMark(pid, stage.sources)?.node);
  expect(new Set(nodes)).toEqual(new Set(['a']));
});

it('the same name of another one, with a group of its own, is not: that is a container', async (context) => {
  if (spawnSync(OWN_MOUNTS[0], [OWN_MOUNTS[1], 'true']).status !== 0) {
    context.skip('this user may not make a mount namespace (needs root)');
  }
  expect(await markOf(behindMount('mkdir -p "$1/web/epochs"'))).toBeNull();
  expect(await markOf(behindMount('true'))).toMatchObject({ node: 'a' });
});
