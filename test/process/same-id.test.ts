// Nodes that are started under one id at the same instant: one of them takes part, and the others are refused.
import { describe, expect, it } from 'vitest';
import { inGroup } from '../support/process-group.ts';
import type { Group } from '../support/process-group.ts';
import type { NodeProcess } from '../support/process-node.ts';
import { shimmed } from '../support/process-shimmed.ts';

const ROUNDS = 20;

const TAKEN = 4;

describe('one id', () => {
  it.each([2, 5])(
    `is given to one of %i that are started at once, in each of ${ROUNDS} rounds`,
    (count) =>
      inGroup(async (group) => {
        for (let round = 1; round <= ROUNDS; round += 1) {
          const nodes = Array.from({ length: count }, () => group.launch('a'));
          const last = await theOnly(group, nodes);
          await group.reaches(last, 'serving');
          last.kill('SIGTERM');
          expect(await group.ends(last)).toBe(0);
        }
      }),
  );

  it.each(['openSync', 'renameSync'])(
    'is given to one, also where it was stopped as it took it, before %s',
    (call) =>
      inGroup(async (group) => {
        const env = shimmed({ SHIM_AT: `${call} /nodes/ before SIGSTOP` });
        const first = group.launch('a', { env });
        await group.until('it to be stopped', () => group.stateOf(first.pid) === 'T');
        const second = group.launch('a');
        await group.until('the second to join, or be refused', () => settled(second));
        first.kill('SIGCONT');
        await theOnly(group, [first, second]);
      }),
  );
});

/** The one that has joined, once all others have been refused. */
async function theOnly(group: Group, nodes: readonly NodeProcess[]): Promise<NodeProcess> {
  await group.until('all to be settled', () => nodes.every((node) => settled(node)));
  const [only, ...more] = nodes.filter((node) => node.end === null);
  if (only === undefined || more.length > 0) throw new Error(`${more.length + 1} are left`);
  expect(nodes.filter(({ end }) => end === TAKEN)).toHaveLength(nodes.length - 1);
  return only;
}

function settled(node: NodeProcess): boolean {
  return node.end !== null || node.log.some(({ event }) => event === 'joined');
}
