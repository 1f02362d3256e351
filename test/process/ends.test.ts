// A command that ends at once: what each `--restart` makes of it, in exit codes and words.
import { describe, expect, it } from 'vitest';
import { inGroup } from '../support/process-group.ts';
import type { NodeProcess } from '../support/process-node.ts';

const EXITS_0 = exits(0);
const EXITS_3 = exits(3);
const DIES = '"$W" --exit-after-ms 0; kill -SEGV $$';

describe('a command that ends at once, under --restart never', () => {
  // All but 0 and a signal mean something else where they are not the command's own.
  it.each([
    ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 126, 127].map(
      (code) => [`exit code ${String(code)}`, exits(code), code] as const,
    ),
    ['SIGSEGV', DIES, 139] as const,
  ])('with %s: it ran once, and its node ends with that', (end, run, code) =>
    inGroup(
      async (group) => {
        const a = group.launch('a', { run });
        expect(await group.ends(a)).toBe(code);
        expect(lastWord(a)).toMatchObject({ event: 'exit', exitCode: code });
        expect(lastWord(a)?.reason).toContain(end);
        expect([group.starts, a.stray]).toStrictEqual([1, '']);
        expect((await group.client('status')).code).toBe(3);
      },
      { options: { restart: 'never' } },
    ),
  );
});

describe.each(['always', 'on-failure'])(
  'a command that ends at once, under --restart %s',
  (restart) => {
    it.each([
      ['exit code 3', EXITS_3],
      ['SIGSEGV', DIES],
    ])('with %s: started again up to the limit, then left alone, and the node stays', (end, run) =>
      inGroup(
        async (group) => {
          const a = await group.start('a', { run });
          await group.until('the limit', () => reasonsOf(a).includes('2 restarts within'));
          expect(reasonsOf(a)).toContain(end);
          await group.until('its step down', () => a.phase === 'waiting');
          expect([group.starts, a.end]).toStrictEqual([3, null]);
          const { code, stdout } = await group.client('status', '--json');
          expect(code).toBe(3);
          expect(stdout).toContain('a would not take over');
          expect(stdout).toContain('2 restarts within');
        },
        { options: { restart, 'restart-limit': '2', 'cool-off': '10m' } },
      ),
    );
  },
);

describe('a command that ends at once with exit code 0', () => {
  it('is started again under --restart always, as any end is unexpected', () =>
    inGroup(
      async (group) => {
        const a = await group.start('a', { run: EXITS_0 });
        await group.until('the limit', () => /1 restarts? within/.test(reasonsOf(a)));
        expect([group.starts, a.end]).toStrictEqual([2, null]);
      },
      { options: { restart: 'always', 'restart-limit': '1', 'cool-off': '10m' } },
    ));

  it('has done its work under --restart on-failure: the node ends with 0', () =>
    inGroup(
      async (group) => {
        const a = group.launch('a', { run: EXITS_0 });
        expect(await group.ends(a)).toBe(0);
        expect(lastWord(a)?.reason).toContain('completed');
        await group.hasStarted(1);
      },
      { options: { restart: 'on-failure' } },
    ));
});

function exits(code: number): string {
  return `exec "$W" --exit-after-ms 0 --exit-code ${String(code)}`;
}

function lastWord(node: NodeProcess): NodeProcess['log'][number] | undefined {
  return node.log.at(-1);
}

function reasonsOf(node: NodeProcess): string {
  return node.transitions.map(({ reason }) => reason).join('\n');
}
