// When a node rehearses: once it stands by, and not while it starts, since then others may be starting too.
import type { EventEmitter } from 'node:events';
import type { Phase } from '../core/state.ts';
import { messageOf } from '../error-message.ts';
import type { NodeEvents, NodeTransition } from './narrator.ts';

/** What this needs of a node. */
interface RehearsingNode extends EventEmitter<NodeEvents> {
  readonly state: { readonly phase: Phase };
  rehearse(): Promise<void>;
}

/** How long a node that stands by is left alone before it rehearses, ms. */
const REHEARSAL_DELAY_MS = 250;

/** Until it has succeeded once. */
export function rehearseOnceStandingBy(node: RehearsingNode, warn: (reason: string) => void): void {
  const onTransition = ({ to }: NodeTransition): void => {
    if (to !== 'watching') return;
    node.off('transition', onTransition);
    const rehearse = (): void => {
      // The node may have become something else by now, or have ended.
      if (node.state.phase !== 'watching') {
        node.on('transition', onTransition);
        return;
      }
      node.rehearse().catch((error: unknown) => {
        warn(`could not rehearse a promotion: ${messageOf(error)}`);
        node.on('transition', onTransition);
      });
    };
    const timer = setTimeout(rehearse, REHEARSAL_DELAY_MS).unref();
    node.once('exit', () => {
      clearTimeout(timer);
    });
  };
  node.on('transition', onTransition);
}
