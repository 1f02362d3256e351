// When a node makes ready what its next start would take its time for: between two changes, and not during one.
import type { EventEmitter } from 'node:events';
import type { Phase } from '../core/state.ts';
import type { NodeEvents } from './narrator.ts';

/** What this needs of a node. */
interface SettlingNode extends EventEmitter<NodeEvents> {
  readonly state: { readonly phase: Phase };
}

/** How long a node is left alone before that, ms: what comes next may be part of the same change. */
const DELAY_MS = 250;

/** Each time that it has settled; what is ready stays so. */
export function startAheadWhenSettled(node: SettlingNode, startAhead: () => void): void {
  let timer: NodeJS.Timeout | null = null;
  const cancel = (): void => {
    if (timer !== null) clearTimeout(timer);
  };
  node.on('transition', () => {
    cancel();
    timer = setTimeout(() => {
      if (SETTLED.has(node.state.phase)) startAhead();
    }, DELAY_MS).unref();
  });
  node.once('exit', cancel);
}

/** Phases in which nobody waits for this node, and after which a start may come. */
const SETTLED: ReadonlySet<Phase> = new Set<Phase>([
  'watching',
  'waiting',
  'suspecting',
  'serving',
]);
