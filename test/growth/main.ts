// How much a store has to bear: many groups of three nodes each, whose leases and registrations are the real ones, in
// three processes; printed as a table.
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { childrenOf, cpuTicks, pssKib } from '../bench/processes.js';
import { number, numbers, oneOf, optionsOrEnd } from '../support/tool-options.ts';
import type { HostTask, HostWord } from './support/host.ts';
import { GROWTH_STORES } from './support/stores.ts';
import type { GrowthStore } from './support/stores.ts';

const values = optionsOrEnd({
  name: 'growth',
  about: 'Counts what many groups of three nodes ask of a store, and what its server takes for it.',
  flags: {
    groups: numbers({ placeholder: 'N,…', says: 'groups', fallback: [100, 1000], least: 1 }),
    store: oneOf(
      GROWTH_STORES.map(({ name }) => name),
      { placeholder: 'NAME', says: `only in ${GROWTH_STORES.map(({ name }) => name).join(', ')}` },
    ),
    beat: number({
      placeholder: 'MS',
      says: 'between renewals, and looks',
      fallback: 500,
      least: 1,
    }),
    seconds: number({ placeholder: 'N', says: 'how long it counts', fallback: 30, least: 1 }),
  },
  example: '--groups 100 --store redis',
});

/** After the last has begun: what nobody waits for is done by then. */
const SETTLED_MS = 5_000;
const TICKS_PER_SECOND = 100;
const NODES = 3;

process.stdout
  .write(`a renewal or a look in ${String(values.beat)} ms; over ${String(values.seconds)} s

| store | groups × nodes | asked, a second | server: CPU, % of a core | ms of CPU for each | server: memory, MiB (before) | waited for an answer, ms, median / 99 of 100 | failed |
| --- | --- | --- | --- | --- | --- | --- | --- |
`);
for (const store of GROWTH_STORES.filter(({ name }) => name === (values.store ?? name))) {
  const missing = store.lack();
  if (missing !== null) process.stderr.write(`${store.name}: ${missing}\n`);
  else for (const groups of values.groups) await measure(store, groups);
}

async function measure(store: GrowthStore, groups: number): Promise<void> {
  const server = await store.start();
  const [pid = -1] = childrenOf(process.pid);
  const beforeKib = pssKib(pid);
  const hosts: ChildProcess[] = [];
  try {
    // Those that lead first: others would only look at nothing.
    for (const host of ['a', 'b', 'c']) {
      const task = { lease: server.lease, host, leads: host === 'a', groups };
      hosts.push(await begun({ ...task, beatMs: values.beat }));
    }
    await pause(SETTLED_MS);
    await Promise.all(hosts.map(told));
    const [calls, ticks, since] = [await server.calls(), cpuTicks(pid), performance.now()];
    await pause(values.seconds * 1000);
    const seconds = (performance.now() - since) / 1000;
    const cpuSeconds = (cpuTicks(pid) - ticks) / TICKS_PER_SECOND;
    const asked = (await server.calls()) - calls;
    const words = await Promise.all(hosts.map(told));
    const waitedMs = words.flatMap((word) => word.waitedMs).sort((one, other) => one - other);
    const cells = [
      ...[store.name, `${String(groups)} × ${String(NODES)}`, (asked / seconds).toFixed(0)],
      ((100 * cpuSeconds) / seconds).toFixed(1),
      ((1000 * cpuSeconds) / asked).toFixed(3),
      `${mib(pssKib(pid))} (${mib(beforeKib)})`,
      `${shareOf(waitedMs, 0.5)} / ${shareOf(waitedMs, 0.99)}`,
      String(words.reduce((sum, { failed }) => sum + failed, 0)),
    ];
    process.stdout.write(`| ${cells.join(' | ')} |\n`);
  } finally {
    await Promise.all(hosts.map(ended));
    await server.stop();
  }
}

async function begun(task: HostTask): Promise<ChildProcess> {
  const program = join(import.meta.dirname, 'support', 'host.ts');
  const loader = join(import.meta.dirname, '..', 'support', 'typescript.js');
  const host = fork(program, [JSON.stringify(task)], { execArgv: ['--import', loader] });
  const gone = once(host, 'exit').then(() => {
    throw new Error('a host has ended');
  });
  await Promise.race([once(host, 'message'), gone]);
  gone.catch(() => undefined);
  return host;
}

/** What it did since it was asked last. */
async function told(host: ChildProcess): Promise<Extract<HostWord, { type: 'did' }>> {
  const answer = once(host, 'message');
  host.send('what have you done?');
  // It says nothing else once it has begun.
  const [word] = (await answer) as [Extract<HostWord, { type: 'did' }>];
  return word;
}

async function ended(host: ChildProcess): Promise<void> {
  if (host.exitCode !== null || host.signalCode !== null) return;
  const end = once(host, 'exit');
  host.kill('SIGKILL');
  await end;
}

function mib(kib: number): string {
  return (kib / 1024).toFixed(0);
}

function shareOf(sorted: readonly number[], share: number): string {
  return (sorted[Math.floor(sorted.length * share)] ?? Number.NaN).toFixed(1);
}
