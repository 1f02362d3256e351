// A look with nothing at stake finds what is recorded, and does not go through every descriptor of the machine.
import type fs from 'node:fs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ProcessFencing } from '../../src/fence/fence.ts';
import { deadSupervisor, session, Stage } from './stage.ts';

const listed = vi.hoisted((): string[] => []);

vi.mock('node:fs', async (importOriginal) => {
  const original = await importOriginal<typeof fs>();
  return {
    ...original,
    readdirSync: (path: string) => {
      listed.push(path);
      return original.readdirSync(path);
    },
  };
});

const descriptorsListed = (): readonly string[] =>
  listed.filter((path) => path.startsWith('/proc/') && path.endsWith('/fdinfo'));

let stage: Stage;
beforeEach(() => {
  stage = new Stage();
  listed.length = 0;
});
afterEach(() => stage.close());

it('a look does not search for who holds the workload lock, where a clearing does', async () => {
  const holder = await stage.startLockHolder(stage.workloadLock);
  const fencing = new ProcessFencing(stage.sources);
  fencing.look();
  expect(descriptorsListed()).toEqual([]);
  const graces = { fenceGraceMs: 0, stopGraceMs: 0 };
  expect(await fencing.clearLeftovers(graces)).toMatchObject({ type: 'remain' });
  expect(descriptorsListed()).toContain(`/proc/${String(holder.identity.pid)}/fdinfo`);
});

it('a look does not take the workload lock, not even for an instant', () => {
  const isWorkloadLockFree = vi.fn(() => true);
  new ProcessFencing({ ...stage.sources, isWorkloadLockFree }).look();
  expect(isWorkloadLockFree).not.toHaveBeenCalled();
});

it('a look goes through the processes for what is recorded', async () => {
  const actor = await stage.start('echo ready; exec sleep 1000', { lock: true });
  stage.addNode('a', deadSupervisor(), [session(actor)]);
  new ProcessFencing(stage.sources).look();
  expect(listed).toContain('/proc');
});
