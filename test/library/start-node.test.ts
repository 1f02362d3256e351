// A node that a program starts: a command under supervision, with the defaults filled in.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startNode } from '../../src/library/start-node.ts';
import { uncaught } from '../support/uncaught.ts';
import { until } from '../support/until.ts';
import { GROUP, place } from './support/watchers.ts';

it('runs the command as the primary, tells each step, and ends in order', async () => {
  const { stateDir, socketDir } = place();
  const script = 'echo "$FAILOVER_EPOCH" > "$FAILOVER_STATE_DIR/epoch"; exec sleep 1000';
  const node = await startNode({ stateDir, command: ['sh', '-c', script] }, { socketDir });
  onTestFinished(async () => {
    node.stop({ immediate: true });
    await node.ended;
  });
  const phases: string[] = [];
  node.on('transition', ({ to }) => phases.push(to));
  await until('the command', () => {
    try {
      return readFileSync(join(stateDir, 'epoch'), 'utf8').trim() === '1';
    } catch {
      return false;
    }
  });
  await until('the lead', () => node.state.phase === 'serving');
  const { setup, activation } = node.status();
  // A drill does not kill a program that has a node in it.
  expect([setup.ownsProcess, setup.hasWorkload, activation?.epoch]).toEqual([false, true, 1]);
  node.stop({ reason: 'enough' });
  expect(await node.ended).toMatchObject({ exitCode: 0, reason: 'enough' });
  await until('the last step', () => phases.at(-1) === 'stopped');
  expect(phases).toEqual([
    'acquiring',
    'clearing',
    'starting',
    'serving',
    'demoting',
    'stopping',
    'stopped',
  ]);
});

it('has ended also for whoever waits, when a listener of its end throws', async () => {
  const { stateDir, socketDir } = place();
  const thrown = uncaught();
  const node = await startNode({ stateDir, command: ['sleep', '1000'] }, { socketDir });
  node.on('exit', () => {
    throw new Error('of the program');
  });
  node.stop({ reason: 'enough' });
  expect(await node.ended).toMatchObject({ reason: 'enough' });
  await until('the error', () => thrown.length === 1);
});

it('refuses a command that there is not, before anything is opened', async () => {
  const { stateDir, socketDir } = place();
  await expect(
    startNode({ stateDir, command: ['no-such-program-anywhere'] }, { socketDir }),
  ).rejects.toMatchObject({ code: 'FAILOVER_COMMAND_NOT_FOUND', exitCode: 127 });
});

it('ends with its signal, and with the block that declares it', async () => {
  const { stateDir, socketDir } = place();
  const controller = new AbortController();
  const options = { stateDir, command: ['sleep', '1000'] };
  const first = await startNode(options, { socketDir, signal: controller.signal });
  await until('the lead', () => first.state.phase === 'serving');
  controller.abort();
  expect(await first.ended).toMatchObject({ exitCode: 0, reason: 'its signal was aborted' });
  let second: Awaited<ReturnType<typeof startNode>>;
  {
    await using declared = await startNode(options, { socketDir });
    second = declared;
    await until('the lead', () => declared.state.phase === 'serving');
  }
  expect(second.state.phase).toBe('stopped');
});

it('takes no part where its signal aborts while it starts', async () => {
  const at = place();
  const options = { stateDir: at.stateDir, group: GROUP, command: ['sleep', '1000'] };
  const early = new AbortController();
  const start = startNode(options, { socketDir: at.socketDir, signal: early.signal });
  early.abort();
  await expect(start).rejects.toMatchObject({ code: 'FAILOVER_REFUSED' });
  expect(readdirSync(at.socketDir)).toEqual([]);
  const late = new AbortController();
  const node = await startNode(options, { socketDir: at.socketDir, signal: late.signal });
  late.abort();
  const phases: string[] = [];
  node.on('transition', ({ to }) => phases.push(to));
  expect(await node.ended).toMatchObject({ reason: 'its signal was aborted' });
  expect([phases, node.state.epochFloor]).toEqual([['stopping', 'stopped'], 0]);
});

it('does not wait for a server, or for its id, once its signal aborts', async () => {
  const { stateDir, socketDir } = place();
  const { signal: never } = new AbortController();
  const controller = new AbortController();
  const start = startNode(
    { stateDir, node: 'a', command: ['sleep', '1000'], lease: 'redis://127.0.0.1:1' },
    {
      ...{ socketDir, signal: controller.signal },
      onIdWait: () => {
        controller.abort();
        return never;
      },
    },
  );
  await expect(start).rejects.toMatchObject({ code: 'FAILOVER_REFUSED' });
});

it('does not start with a signal that has aborted, and gives up a wait with one', async () => {
  const { stateDir, socketDir } = place();
  const options = { stateDir, command: ['sleep', '1000'], readyWhen: 'tcp://127.0.0.1:1' };
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(startNode(options, { socketDir, signal })).rejects.toMatchObject({
    code: 'FAILOVER_REFUSED',
  });
  await using node = await startNode(options, { socketDir });
  await until('its command to start', () => node.state.phase === 'starting');
  await expect(node.promote({ signal })).rejects.toThrow('enough');
});
