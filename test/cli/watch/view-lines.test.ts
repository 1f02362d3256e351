// The live view on terminals of all sizes: it fits, and what matters is to be seen.
import { describe, expect, it } from 'vitest';
import { groupStatusOf } from '../../../src/cli/group-status.ts';
import type { SeenGroup } from '../../../src/cli/groups.ts';
import { PLAIN } from '../../../src/cli/render/plain.ts';
import { viewLines } from '../../../src/cli/watch/view-lines.ts';
import { pressed, viewOf } from '../../../src/cli/watch/view.ts';
import type { Sight } from '../../../src/cli/watch/view.ts';
import {
  answering,
  healthyGroup,
  primaryStatus,
  snapshotOf,
  statusOf,
} from '../support/snapshot.ts';

const STATUS = groupStatusOf(healthyGroup());
const SIGHT: Sight = { groups: [], status: STATUS };
const LOOK = { paint: PLAIN, takesKeys: true, isPinned: true };

describe('the view of a group', () => {
  it('has the chosen node marked and the keys at the end', () => {
    const { view } = pressed(viewOf('web'), 'down', SIGHT, 10);
    const lines = viewLines(view, SIGHT, { ...LOOK, size: { columns: 80, rows: 14 } });
    expect(lines.join('\n')).toMatchInlineSnapshot(`
      "web  primary a  epoch 7

        NODE  ROLE       STATE        HEALTH  EPOCH  WORKLOAD     HEARD  LAG   UPTIME
        a     primary    serving      -       7      running 456  34 ms  1 ms  1m 32s
      › b     secondary  standing by  -       7      cold         34 ms  1 ms  1m 32s
        c     secondary  standing by  -       7      cold         36 ms  1 ms  10.4 s

      lease     file, held by a; guards: kernel, lockfile, epoch
      takeover  predicted by b: after a crash about 9 ms, a hang at most 8.0 s
      last      failover z → a, measured 8.1 ms
      next      b, then c
      directory /state/web

      ↑↓ choose   p promote   d demote   z pause   ? help   q quit"
    `);
  });

  it('leaves out columns that have no room, and breaks long lines between words', () => {
    const lines = viewLines(viewOf('web'), SIGHT, { ...LOOK, size: { columns: 51, rows: 20 } });
    expect(lines[2]).toBe('  NODE  ROLE       STATE        HEALTH  WORKLOAD');
    expect(lines.slice(7, 10)).toEqual([
      'lease     file, held by a; guards: kernel,',
      '          lockfile, epoch',
      'takeover  predicted by b: after a crash about 9 ms,',
    ]);
  });

  it('asks its question in the last line, with the answer that changes nothing as the default', () => {
    const chosen = pressed(viewOf('web'), 'down', SIGHT, 10).view;
    const { view } = pressed(chosen, 'p', SIGHT, 10);
    const lines = viewLines(view, SIGHT, { ...LOOK, size: { columns: 80, rows: 24 } });
    expect(lines.at(-1)).toBe('Promote b? [y/N]');
  });

  it('shows how a change went above the keys', () => {
    const view = {
      ...viewOf('web'),
      message: { tone: 'bad', text: 'Cannot\u001b[2J do it.' },
    } as const;
    const lines = viewLines(view, SIGHT, { ...LOOK, size: { columns: 80, rows: 24 } });
    expect(lines.at(-2)).toBe('Cannot [2J do it.');
  });

  it('puts warnings first where not everything has room', () => {
    const warned = { ...STATUS, warnings: ['Do something: now.'] };
    const sight = { groups: [], status: warned };
    const lines = viewLines(viewOf('web'), sight, { ...LOOK, size: { columns: 80, rows: 10 } });
    expect(lines[6]).toBe('warning   Do something: now.');
    expect(lines.join('\n')).not.toContain('directory');
  });

  it('has the chosen one of many nodes in sight, and says how many are not', () => {
    const others = Array.from({ length: 40 }, (_, n) => statusOf(`n${String(n + 10)}`));
    const nodes = [primaryStatus('a'), ...others].map((status) => answering(status));
    const sight = { groups: [], status: groupStatusOf(snapshotOf('a', nodes)) };
    const chosen = pressed(viewOf('web'), 'last', sight, 10).view;
    const lines = viewLines(chosen, sight, { ...LOOK, size: { columns: 80, rows: 24 } });
    expect(lines.some((line) => line.startsWith('› n49'))).toBe(true);
    expect(lines.some((line) => /^ {2}… \d+ above$/.test(line))).toBe(true);
    expect(lines).toHaveLength(24);
  });

  it('fits every terminal, with any question and the help', () => {
    const chosen = pressed(viewOf('web'), 'down', SIGHT, 10).view;
    const views = ['p', 'f', 'd', '?'].map((key) => pressed(chosen, key, SIGHT, 10).view);
    for (const view of [viewOf('web'), ...views]) {
      for (const columns of [20, 33, 60, 80, 200]) {
        for (const rows of [1, 2, 5, 9, 23, 100]) {
          const lines = viewLines(view, SIGHT, { ...LOOK, size: { columns, rows } });
          expect(lines.length).toBeLessThanOrEqual(rows);
          expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
        }
      }
    }
  });

  it('says so where the group has gone', () => {
    const gone: Sight = { groups: [], status: null };
    const lines = viewLines(viewOf('web'), gone, { ...LOOK, size: { columns: 80, rows: 9 } });
    expect(lines[2]).toBe('This group is gone.');
  });
});

describe('the list of groups', () => {
  const groups = ['api', 'web'].map((group): SeenGroup => ({
    group,
    status: { ...STATUS, group },
    problem: null,
  }));

  it('has a row for each, the chosen one marked', () => {
    const sight: Sight = { groups, status: null };
    const { view } = pressed(viewOf(null), 'down', sight, 10);
    const lines = viewLines(view, sight, { ...LOOK, size: { columns: 80, rows: 8 } });
    expect(lines.slice(0, 5)).toEqual([
      '  GROUP  PRIMARY  NODES  HEALTH  LAST TAKEOVER                    WARNINGS',
      '  api    a        3      -       failover z → a, measured 8.1 ms  -',
      '› web    a        3      -       failover z → a, measured 8.1 ms  -',
      '',
      '2 groups: 2 with a primary',
    ]);
  });

  it('says so where none is left', () => {
    const sight: Sight = { groups: [], status: null };
    const lines = viewLines(viewOf(null), sight, { ...LOOK, size: { columns: 80, rows: 8 } });
    expect(lines[0]).toBe('No group is left in this state directory.');
  });
});
