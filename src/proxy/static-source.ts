// A source of the primary where there is no group: one server always, of several the first that answers.
import type { Target } from '../config/proxy-address.ts';
import { lookOverNetwork } from '../health/attempt.ts';
import { UpstreamList } from '../upstream/upstream-list.ts';
import type { PrimaryListener, PrimarySource, ReachedNode } from './primary-source.ts';
import { SERVER_CHECK } from './server-check.ts';

interface Server extends Target {
  readonly id: string;
}

/** What serves is in the list's order, and the one in use stays as long as it answers. */
export class StaticSource implements PrimarySource {
  readonly #list: UpstreamList<Server>;
  readonly #targets: readonly Target[];
  readonly #isAlone: boolean;
  #current: string | null = null;

  constructor(targets: readonly Target[]) {
    this.#targets = targets;
    this.#isAlone = targets.length === 1;
    this.#list = new UpstreamList<Server>({
      ...SERVER_CHECK,
      upstreams: targets.map((target) => ({ ...target, id: target.url })),
      waitForCheck: !this.#isAlone,
      check: async ({ host, port }, signal) =>
        (await lookOverNetwork({ kind: 'tcp', host, port }, signal)) === null,
    });
  }

  async start(
    listener: PrimaryListener,
    onNodes?: (nodes: readonly ReachedNode[]) => void,
  ): Promise<void> {
    onNodes?.(this.#targets.map(({ url }) => ({ node: null, target: url })));
    const follow = (usable: readonly Server[]): void => {
      this.#follow(listener, usable);
    };
    follow(this.#list.usable);
    // Whether the only one answers is seen by each request that goes there.
    if (this.#isAlone) return;
    this.#list.onChange(follow);
    await this.#list.start();
  }

  close(): Promise<void> {
    this.#list.stop();
    return Promise.resolve();
  }

  #follow(listener: PrimaryListener, usable: readonly Server[]): void {
    if (usable.some(({ url }) => url === this.#current)) return;
    const [first] = usable;
    const before = this.#current;
    this.#current = first?.url ?? null;
    if (first !== undefined) listener.ready({ node: null, epoch: null, target: first.url });
    else if (before !== null) listener.lost('none of the servers answers');
  }
}
