// What people ask for, while anything else happens: each request has to be answered, and never by a stack trace.
import type { Arena } from '../arena.ts';
import { chosen } from './fault.ts';
import type { Perform } from './fault.ts';

export const promote: Perform = (arena, fault) => {
  const node = chosen(arena.standbys, fault);
  return request(arena, ['promote', ...(node === undefined ? [] : [node.id])]);
};

export const promoteForce: Perform = (arena, fault) => {
  const node = chosen(arena.standbys, fault);
  return request(arena, ['promote', ...(node === undefined ? [] : [node.id]), '--force']);
};

export const demote: Perform = (arena) => request(arena, ['demote']);

export const check: Perform = (arena) => request(arena, ['check']);

export const stopNode: Perform = async (arena, fault) => {
  const node = chosen(arena.living, fault);
  if (node === undefined) return 'skipped: no node';
  arena.told.add(node);
  return await request(arena, ['stop', node.id]);
};

export const pause: Perform = async (arena, { forMs }) => {
  const resume = arena.undoLater(async () => {
    // The directory may just be full, or going.
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      if ((await arena.group.client('resume')).code === 0) return;
      await arena.pause(100);
    }
  });
  const said = await request(arena, ['pause']);
  await arena.pause(forMs);
  await resume();
  return `${said}, for ${forMs} ms`;
};

async function request(arena: Arena, args: readonly string[]): Promise<string> {
  const client = arena.group.startClient(...args);
  const end = arena.undoLater(() => {
    client.kill('SIGKILL');
  });
  const ended = await arena.until(CLIENT_LIMIT_MS, () => client.end !== null);
  await end();
  if (!ended) arena.judge.violate(`\`failover ${args.join(' ')}\` had no end after 100 s`);
  const { stderr } = await client.done;
  if (/^\s+at .+:\d+:\d+/m.test(stderr)) {
    arena.judge.violate(`\`failover ${args.join(' ')}\` printed a stack trace: ${stderr}`);
  }
  return `${args.join(' ')}: exit code ${String(client.end)}`;
}

/** Longer than any request takes by its own default, which is 90 s. */
const CLIENT_LIMIT_MS = 100_000;
