import { describe, expect, it } from 'vitest';
import { GuardPriority } from '../../src/guard/priority.ts';
import type { PrioritySystem } from '../../src/guard/priority.ts';

describe('the priority of a guard', () => {
  it('is the best there is where that is allowed, of all its threads and among the sessions', () => {
    const system = new Allowing(-20, 0);
    new GuardPriority(system).raise();
    expect(system.threads()).toEqual([-20, -20, -20]);
    expect(system.share).toBe(-20);
  });

  it('is a lesser one where the best is refused', () => {
    const system = new Allowing(-10, 5);
    new GuardPriority(system).raise();
    expect(system.threads()).toEqual([-7, -7, -7]);
  });

  it('stays as it is where none is allowed', () => {
    const system = new Allowing(0, 0);
    const priority = new GuardPriority(system);
    priority.raise();
    expect(priority.asGiven(() => system.get())).toBe(0);
    expect([system.threads(), system.share]).toEqual([[0, 0, 0], 0]);
  });

  it('never gets worse than the one it was given', () => {
    const system = new Allowing(-10, -15);
    new GuardPriority(system).raise();
    expect(system.threads()).toEqual([-15, -15, -15]);
  });

  it('is not that of what it spawns, and its own again after that', () => {
    const system = new Allowing(-20, 5);
    const priority = new GuardPriority(system);
    priority.raise();
    expect(priority.asGiven(() => system.get())).toBe(5);
    expect(system.threads()).toEqual([-20, -20, -20]);
  });

  it('is its own again when nothing could be spawned', () => {
    const system = new Allowing(-20, 5);
    const priority = new GuardPriority(system);
    priority.raise();
    const fail = (): never => {
      throw new Error('EAGAIN');
    };
    expect(() => priority.asGiven(fail)).toThrow('EAGAIN');
    expect(system.get()).toBe(-20);
  });

  it('stays the one it was given where it may not have a better one any more', () => {
    const system = new Allowing(-20, 5);
    const priority = new GuardPriority(system);
    priority.raise();
    priority.asGiven(() => {
      system.best = 0;
    });
    expect(priority.asGiven(() => system.get())).toBe(5);
  });

  it('is raised also where sessions share nothing', () => {
    const system = new Allowing(-20, 0);
    system.isShared = false;
    new GuardPriority(system).raise();
    expect(system.threads()).toEqual([-20, -20, -20]);
  });
});

/** A system that allows priorities down to one, and each worse than the present. */
class Allowing implements PrioritySystem {
  readonly main = 1;
  share = 0;
  isShared = true;
  best: number;
  readonly #priorities: Map<number, number>;

  constructor(best: number, given: number) {
    this.best = best;
    this.#priorities = new Map([1, 2, 3].map((thread) => [thread, given]));
  }

  threads(): readonly number[] {
    return [...this.#priorities.values()];
  }

  readonly get = (): number => this.#priorities.get(this.main) ?? NaN;

  readonly set = (id: number, priority: number): void => {
    const isBetter = priority < (this.#priorities.get(id) ?? NaN);
    if (isBetter && priority < this.best) throw new Error('EACCES');
    this.#priorities.set(id, priority);
  };

  readonly others = (): readonly number[] => [2, 3];

  readonly setShare = (priority: number): void => {
    if (!this.isShared) throw new Error('ENOENT');
    this.share = priority;
  };
}
