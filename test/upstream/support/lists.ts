// Lists of upstreams with checks that a test decides.
import type { UpstreamCheck } from '../../../src/upstream/check-queue.ts';
import { UpstreamList } from '../../../src/upstream/upstream-list.ts';
import type { UpstreamListOptions } from '../../../src/upstream/upstream-options.ts';

export function listOf(
  upstreams: readonly string[],
  options: Partial<UpstreamListOptions<string>> = {},
): UpstreamList<string> {
  return new UpstreamList({ check: never, upstreams, ...options });
}

export const never: UpstreamCheck<unknown> = () => new Promise(() => undefined);

export function untilAborted(signal: AbortSignal): Promise<boolean> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(new Error('aborted'));
    });
  });
}

export function picks(list: UpstreamList<string>, count: number): string {
  return Array.from({ length: count }, () => list.pick()).join(' ');
}

export function scores(list: UpstreamList<string>): Record<string, number> {
  return Object.fromEntries(list.status().map(({ upstream, score }) => [upstream, score]));
}
