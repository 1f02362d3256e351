// The demo's witness notices what must not happen.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, it } from 'vitest';
import { Witness } from '../../../src/cli/demo/witness.ts';
import { Deadline } from '../../../src/cli/deadline.ts';
import { readIdentity } from '../../../src/fence/process-identity.ts';

const children: ChildProcess[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) await end(child);
});

it('starts one after the other are no fault', async () => {
  const witness = new Witness();
  const first = await start();
  witness.hear('a', `started 1 ${String(first.pid)}`);
  await end(first);
  witness.hear('b', `started 2 ${String((await start()).pid)}`);
  expect(witness.faults).toEqual([]);
  expect(witness.starts.map(({ node, epoch }) => [node, epoch])).toEqual([
    ['a', 1],
    ['b', 2],
  ]);
});

it('two that run at once are a fault', async () => {
  const witness = new Witness();
  const first = await start();
  witness.hear('a', `started 1 ${String(first.pid)}`);
  witness.hear('b', `started 2 ${String((await start()).pid)}`);
  expect(witness.faults).toEqual([`pid ${String(first.pid)} ran when epoch 2 started`]);
});

it('an epoch that does not grow, and a lock that was taken, are faults', async () => {
  const witness = new Witness();
  const { pid } = await start();
  witness.hear('a', `started 2 ${String(pid)}`);
  await end(children[0]);
  witness.hear('b', 'started 2 999999999');
  witness.hear('b', 'overlap 2');
  expect(witness.faults).toHaveLength(2);
});

it('a start that does not come is null, one that does is awaited', async () => {
  const witness = new Witness();
  expect(await witness.start(0, 1)).toBeNull();
  const waiting = witness.start(0, 20_000);
  witness.hear('a', 'started 1 999999999');
  expect(await waiting).toMatchObject({ node: 'a', epoch: 1 });
});

async function start(): Promise<ChildProcess & { readonly pid: number }> {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  children.push(child);
  await once(child, 'spawn');
  // `spawn` was emitted: it has a pid.
  return child as ChildProcess & { readonly pid: number };
}

async function end(child: ChildProcess | undefined): Promise<void> {
  if (child?.pid === undefined) return;
  const { pid } = child;
  child.kill('SIGKILL');
  await new Deadline(10_000).until(() => readIdentity(pid) === null, 1);
}
