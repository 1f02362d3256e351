// Whether a supervisor keeps descriptors that it has no use for any more: counted in calm, first and last.
import { readlinkSync, readdirSync } from 'node:fs';
import type { NodeProcess } from '../support/process-node.ts';
import type { Arena } from './arena.ts';

/** What one has open, by kind: paths of files, and the sort of all else. */
type Open = ReadonlyMap<string, number>;

export class Descriptors {
  readonly #first = new Map<string, Open>();

  /** Notes what each node has open in its present role, the first time. */
  note(arena: Arena): void {
    for (const node of arena.living) {
      const key = keyOf(node);
      if (!this.#first.has(key)) this.#first.set(key, openOf(node.pid));
    }
  }

  /** What has grown by more than connections to the other nodes explain; a sentence for each node. */
  leaks(arena: Arena): string[] {
    // Each of the others may have come with a connection to either socket, and with a request.
    const slack = 3 * arena.profile.nodes + 4;
    return arena.living.flatMap((node) => {
      const first = this.#first.get(keyOf(node));
      const last = openOf(node.pid);
      if (first === undefined || sizeOf(last) <= sizeOf(first) + slack) return [];
      const grown = [...last].filter(([kind, count]) => count > (first.get(kind) ?? 0));
      const more = grown.map(([kind, count]) => `${kind} ${first.get(kind) ?? 0} → ${count}`);
      return [
        `${node.id} has ${sizeOf(last)} descriptors, had ${sizeOf(first)}: ${more.join(', ')}`,
      ];
    });
  }
}

/** A primary has others than a standby. */
function keyOf({ pid, phase }: NodeProcess): string {
  return `${pid} ${phase === 'watching' ? 'standby' : 'primary'}`;
}

function sizeOf(open: Open): number {
  return [...open.values()].reduce((sum, count) => sum + count, 0);
}

function openOf(pid: number): Open {
  const open = new Map<string, number>();
  const directory = `/proc/${String(pid)}/fd`;
  for (const fd of readdirSync(directory)) {
    let target: string;
    try {
      target = readlinkSync(`${directory}/${fd}`);
    } catch {
      continue;
    }
    const kind = target.replace(/:\[\d+\]$/, '');
    open.set(kind, (open.get(kind) ?? 0) + 1);
  }
  return open;
}
