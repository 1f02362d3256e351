// What a proxy says of what it refuses and loses, and of all that it has done.
import { describe, expect, it } from 'vitest';
import { ProxyCounts } from '../../src/proxy/proxy-counts.ts';
import { RefusalLines, summaryOf } from '../../src/proxy/summary.ts';
import type { NotedCode } from '../../src/proxy/summary.ts';

function linesOf(mode: 'http' | 'tcp', noted: readonly (readonly [NotedCode, number])[]): string[] {
  const lines: string[] = [];
  let nowMs = 0;
  const said = new RefusalLines(
    mode,
    () => nowMs,
    (code, line) => lines.push(`${code} ${line}`),
  );
  for (const [code, atMs] of noted) {
    nowMs = atMs;
    said.add(code);
  }
  return lines;
}

describe('a line', () => {
  it('is written at once, and then every few seconds with how many there were', () => {
    const lines = linesOf('http', [
      ['loop', 0],
      ['loop', 1],
      ['stopping', 2],
      ['loop', 5_000],
    ]);
    expect(lines).toEqual([
      'loop Answered a request with 508 loop: This request has already passed through this proxy',
      'stopping Answered a request with 503 stopping: The proxy ends',
      'loop Answered a request with 508 loop, and 1 before: This request has already passed through this proxy',
    ]);
  });

  it.each<[mode: 'http' | 'tcp', code: NotedCode, line: string]>([
    ['http', 'broken-off', 'Aborted a response: The primary was lost'],
    ['tcp', 'broken-off', 'Aborted a connection: The primary was lost'],
    ['http', 'too-many-clients', 'Rejected a client: The number of connected clients'],
    ['tcp', 'hold-full', 'Reset a connection, hold-full: Too many requests are held'],
  ])('of %s tells %s as what it is', (mode, code, line) => {
    expect(linesOf(mode, [[code, 0]])[0]).toContain(`${code} ${line}`);
  });
});

describe('a summary', () => {
  it.each([
    [
      'http',
      'Answered 2 of 3 requests; held 1, the longest for 1s; answers broken off: 1; loop: 1',
    ],
    [
      'tcp',
      'Passed on 2 of 3 connections; held 1, the longest for 1s; connections broken off: 1; loop: 1',
    ],
  ] as const)('of %s leaves out what is zero', (mode, text) => {
    const counts = Object.assign(new ProxyCounts(), { requests: 3, answered: 2, cut: 1 });
    counts.refuse('loop');
    const load = { held: 0, underWay: 0, bytes: 0 };
    expect(summaryOf({ mode, counts, ...load, everHeld: 1, longestHeldMs: 1_000 })).toBe(text);
  });
});
