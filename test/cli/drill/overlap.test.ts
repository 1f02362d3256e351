// Two runs at once are an overlap only when two looks prove it.
import { describe, expect, it } from 'vitest';
import { mayOverlap, overlapsIn } from '../../../src/cli/drill/overlap.ts';
import type { SeenSession } from '../../../src/cli/drill/overlap.ts';

function session(
  node: string,
  processes: readonly string[],
  change: Partial<SeenSession> = {},
): SeenSession {
  const key = processes[0] ?? node;
  return { run: `run-${node}`, node, kind: 'workload', active: true, key, processes, ...change };
}

const old = session('a', ['10/1', '11/2']);
const young = session('b', ['20/5']);

describe('an overlap', () => {
  it('is two active runs that both looks see alive', () => {
    expect(overlapsIn([old, young], [old, young])).toEqual([
      'two were active at once: the workload of a (pid 10, 11) and the workload of b (pid 20)',
    ]);
  });

  it('names only the processes that were alive all the time', () => {
    const later = { ...old, processes: ['11/2'] };
    expect(overlapsIn([old, young], [later, young])[0]).toContain('of a (pid 11)');
  });

  it('is not when the old one had ended by the second look', () => {
    expect(overlapsIn([old, young], [young])).toEqual([]);
    expect(overlapsIn([old, young], [{ ...old, processes: [] }, young])).toEqual([]);
  });

  it('is not when its pid went to another process', () => {
    expect(overlapsIn([old, young], [{ ...old, processes: ['10/9'] }, young])).toEqual([]);
  });

  it('is not beside one that stands by or has stepped down', () => {
    const standby = { ...old, active: false };
    expect(mayOverlap([standby, young])).toBe(false);
    expect(overlapsIn([old, young], [standby, young])).toEqual([]);
  });

  it('is not a workload beside its own hook, but beside the hook of another', () => {
    const hook = session('a', ['30/7'], { kind: 'hook' });
    expect(mayOverlap([old, hook])).toBe(false);
    expect(mayOverlap([young, hook])).toBe(true);
  });

  it('is also two workloads of one node', () => {
    expect(mayOverlap([old, session('a', ['40/8'])])).toBe(true);
  });
});
