// Nodes in different pid namespaces see each other's locks and not each other's processes: nobody starts beside those.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { inGroup } from '../support/process-group.ts';
import type { Group } from '../support/process-group.ts';
import {
  canUnshare,
  OWN_NAMESPACE,
  supervisorOf,
  supervisorsOf,
  UNSHARE,
  workloadOf,
} from '../support/process-namespaces.ts';
import type { NodeProcess } from '../support/process-node.ts';

beforeEach((context) => {
  if (!canUnshare()) context.skip('this user may not make a pid namespace (needs root)');
});

it('a node is refused beside a living one of another pid namespace, which goes on', () =>
  inGroup(async (group) => {
    const first = await group.start('a');
    await group.active(1);
    const second = group.launch('b', { through: OWN_NAMESPACE });
    expect(await group.ends(second)).toBe(2);
    expect(second.stray).toMatch(
      /^failover: Cannot start node b: node a of group g .* runs in another pid namespace/m,
    );
    expect(second.stray).toMatch(/^Run all nodes of a group in one pid namespace/m);
    expect(first.phase).toBe('serving');
    expect(group.records().map(({ node }) => node)).toEqual(['a']);
  }));

it('a node is refused beside a stopped one of another pid namespace', () =>
  inGroup(async (group) => {
    const first = await group.start('a', { through: OWN_NAMESPACE });
    await group.active(1);
    group.signal(supervisorOf(group, 'a'), 'SIGSTOP');
    expect(await group.ends(group.launch('b'))).toBe(2);
    first.kill('SIGKILL');
    await group.start('c');
    await group.active(2);
  }));

it('what closed the lock is waited for where it can not be seen, and named, until it is gone', () =>
  inGroup(async (group) => {
    const first = await group.start('a', { run: EVASIVE, through: SHARED_NAMESPACE });
    await group.active(1);
    group.signal(supervisorOf(group, 'a'), 'SIGKILL');
    await isFree(group);
    const second = await group.start('b');
    await waitsFor(group, second, 'what node a started in pid namespace');
    const { stdout } = await group.client('status');
    expect(stdout).toMatch(
      /what node a started in pid namespace \d+: that node ended unexpectedly/,
    );
    await group.hasStarted(1);
    // From here every namespace is seen: nobody has to say that this one has ended.
    first.kill('SIGKILL');
    await group.active(2);
    await group.until('the record to go', () => group.records().length === 1);
  }));

it('between two namespaces that see nothing of each other a person says that it is gone', () =>
  inGroup(async (group) => {
    const first = await group.start('a', { run: EVASIVE, through: SHARED_NAMESPACE });
    await group.active(1);
    const record = join(group.groupDir, 'nodes', `${group.records()[0]?.run ?? ''}.json`);
    first.kill('SIGKILL');
    await isFree(group);
    const second = await group.start('b', { through: SHARED_NAMESPACE });
    await waitsFor(group, second, `then remove ${record}`);
    await group.hasStarted(1);
    rmSync(record);
    await group.active(2);
    second.kill('SIGKILL');
  }));

it('a namespace whose first process was the supervisor ended with it, as a container does', () =>
  inGroup(async (group) => {
    const first = await group.start('a', { run: EVASIVE, through: OWN_NAMESPACE });
    await group.active(1);
    first.kill('SIGKILL');
    await isFree(group);
    const second = await group.start('b', { through: OWN_NAMESPACE });
    await group.active(2);
    group.signal(workloadOf(group), 'SIGKILL');
    await group.active(3);
    second.kill('SIGKILL');
  }));

it('nor does anybody wait for one whose first process only runs the supervisor', () =>
  inGroup(async (group) => {
    const init = group.path('tini');
    writeFileSync(init, '#!/bin/sh\n"$@"\n', { mode: 0o755 });
    await group.start('a', { run: EVASIVE, through: [...UNSHARE, init] });
    await group.active(1);
    group.signal(supervisorOf(group, 'a'), 'SIGKILL');
    await isFree(group);
    const second = await group.start('b', { through: OWN_NAMESPACE });
    await group.active(2);
    second.kill('SIGKILL');
  }));

/** The first process is a shell, which goes on after the supervisor. */
const SHARED_NAMESPACE = [...UNSHARE, 'sh', '-c', '"$@"; exec sleep 1000', 'sh'];

/** Not found by its lock, and not ended by the kernel with its supervisor. */
const EVASIVE = 'eval "exec $FAILOVER_LOCK_FD>&-"; exec "$W" --ignore-term';

/** A node of before lives for others as long as it has its record locked. */
async function isFree(group: Group): Promise<void> {
  await group.until('the end of the first', () => supervisorsOf(group, 'a').length === 0);
}

async function waitsFor(group: Group, node: NodeProcess, text: string): Promise<void> {
  await group.until(`${node.id} to wait`, () =>
    node.log.some(({ reason }) => reason?.includes(text) === true),
  );
}
