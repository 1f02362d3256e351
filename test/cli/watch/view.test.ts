// The live view as data: what keys do, and that nothing is changed without being asked about.
import { describe, expect, it } from 'vitest';
import { groupStatusOf } from '../../../src/cli/group-status.ts';
import type { SeenGroup } from '../../../src/cli/groups.ts';
import { chosenPlace, pressed, questionOf, viewOf } from '../../../src/cli/watch/view.ts';
import type { Pressed, Sight, View } from '../../../src/cli/watch/view.ts';
import { healthyGroup, snapshotOf } from '../support/snapshot.ts';

const STATUS = groupStatusOf(healthyGroup());
const SIGHT: Sight = { groups: [], status: STATUS };

describe('keys in a group', () => {
  it('choose one node after the other, and stay in the table', () => {
    let view = viewOf('web');
    const places = ['down', 'down', 'down', 'up', 'first', 'last', 'page-up'].map((key) => {
      ({ view } = pressed(view, key, SIGHT, 2));
      return chosenPlace(view, SIGHT);
    });
    expect(places).toEqual([1, 2, 2, 1, 0, 2, 0]);
  });

  it('keep what is chosen when another comes before it, and take the first when it goes', () => {
    const { view } = pressed(viewOf('web'), 'down', SIGHT, 10);
    const [a, b, c] = STATUS.nodes;
    const turned = [b, a, c].flatMap((node) => node ?? []);
    expect(chosenPlace(view, { groups: [], status: { ...STATUS, nodes: turned } })).toBe(0);
    const without = [c, a].flatMap((node) => node ?? []);
    expect(chosenPlace(view, { groups: [], status: { ...STATUS, nodes: without } })).toBe(0);
    expect(chosenPlace(view, { groups: [], status: { ...STATUS, nodes: [] } })).toBe(-1);
  });

  it('say of a demotion when nobody would take over', () => {
    const change = { kind: 'demote', group: 'web', node: 'a' } as const;
    expect(questionOf(change, { ...STATUS, succession: [] })).toBe(
      'Demote a? No node would take over.',
    );
  });

  it.each([
    ['p', { kind: 'promote', group: 'web', node: 'b', force: false }, 'Promote b?'],
    [
      'f',
      { kind: 'promote', group: 'web', node: 'b', force: true },
      'Promote b, and fence a if it does not hand over?',
    ],
    ['d', { kind: 'demote', group: 'web', node: 'a' }, 'Demote a?'],
    [
      'z',
      { kind: 'pause', group: 'web' },
      'Pause group web, so that no node takes over automatically?',
    ],
  ] as const)('%s asks first, and only y makes the change', (key, change, question) => {
    const chosen = pressed(viewOf('web'), 'down', SIGHT, 10).view;
    const asked = pressed(chosen, key, SIGHT, 10);
    expect([asked.change, asked.view.question]).toEqual([null, change]);
    expect(questionOf(change, STATUS)).toBe(question);
    for (const no of ['n', 'enter', 'escape', 'p', 'q', 'down']) {
      const refused = pressed(asked.view, no, SIGHT, 10);
      expect([refused.change, refused.view.question, refused.ends]).toEqual([null, null, false]);
    }
    const agreed = pressed(asked.view, 'y', SIGHT, 10);
    expect([agreed.change, agreed.view.question]).toEqual([change, null]);
    expect(agreed.view.message?.tone).toBe('busy');
    // Nothing else is begun while it is under way.
    expect(pressed(agreed.view, 'p', SIGHT, 10).view.question).toBeNull();
  });

  it('resume a group that is paused', () => {
    const paused = { groups: [], status: { ...STATUS, paused: true } };
    expect(pressed(viewOf('web'), 'z', paused, 10).view.question).toEqual({
      kind: 'resume',
      group: 'web',
    });
  });

  it('say that there is nobody to demote or to promote', () => {
    const nobody: Sight = { groups: [], status: groupStatusOf(snapshotOf(null, [])) };
    expect(pressed(viewOf('web'), 'd', nobody, 10).view.message?.text).toMatch(/no primary/);
    expect(pressed(viewOf('web'), 'p', nobody, 10).view.message?.text).toMatch(/no node/);
  });

  it('do not ask about what is so already', () => {
    const { view } = pressed(viewOf('web'), 'p', SIGHT, 10);
    expect([view.question, view.message?.text]).toEqual([null, 'a is already primary.']);
  });

  it('take away how a change went once one moves on, but not that it is under way', () => {
    const told = (tone: 'good' | 'busy'): View => ({
      ...viewOf('web'),
      message: { tone, text: 'x' },
    });
    expect(pressed(told('good'), 'down', SIGHT, 10).view.message).toBeNull();
    expect(pressed(told('busy'), 'down', SIGHT, 10).view.message?.text).toBe('x');
  });

  it('end the view at q and Ctrl-C, that also while it asks', () => {
    expect(pressed(viewOf('web'), 'q', SIGHT, 10).ends).toBe(true);
    const asked = pressed(viewOf('web'), 'd', SIGHT, 10).view;
    expect(pressed(asked, 'ctrl-c', SIGHT, 10)).toMatchObject({ ends: true, change: null });
  });

  it('show the help until the next key, which does nothing else', () => {
    const help = pressed(viewOf('web'), '?', SIGHT, 10).view;
    expect(help.isHelp).toBe(true);
    expect(pressed(help, 'p', SIGHT, 10).view).toEqual(viewOf('web'));
  });
});

describe('keys in the list of groups', () => {
  const groups = ['api', 'web'].map((group): SeenGroup => ({
    group,
    status: { ...STATUS, group },
    problem: null,
  }));
  const list: Sight = { groups, status: null };

  it('open a group and go back to it', () => {
    const chosen = pressed(viewOf(null), 'down', list, 10).view;
    const opened = pressed(chosen, 'enter', list, 10).view;
    expect(opened.group).toBe('web');
    const back = pressed(opened, 'escape', { groups, status: STATUS }, 10).view;
    expect([back.group, chosenPlace(back, list)]).toEqual([null, 1]);
  });

  it('change nothing there', () => {
    for (const key of ['p', 'f', 'd', 'z']) {
      const { view, change } = pressed(viewOf(null), key, list, 10);
      expect([change, view.question, view.message?.tone]).toEqual([null, null, 'bad']);
    }
  });

  it('do nothing where no group is left, and Escape leads nowhere from a group that was named', () => {
    const press = (view: View, key: string, sight: Sight): Pressed => pressed(view, key, sight, 10);
    expect(press(viewOf(null), 'enter', { groups: [], status: null }).view.group).toBeNull();
    expect(press(viewOf('web'), 'escape', SIGHT).view.group).toBe('web');
  });
});
