// The proxies in front of a simulated group: they tell each primary that they forward to it, and some never let it go.
import type { Announcement } from '../core/effect.ts';
import type { Life } from './life.ts';
import type { Proxies as ProxyTraits } from './profile.ts';
import { Random } from './random.ts';

export class Proxies {
  readonly #traits: ProxyTraits | null;
  readonly #random: Random;
  /** Which have said that nothing is under way any more, of each term. */
  readonly #drained = new Set<string>();

  constructor(traits: ProxyTraits | null, seed: number) {
    this.#traits = traits;
    this.#random = new Random(seed ^ OWN_CHANCES);
  }

  /** What each of them does when it hears a node. */
  hear(life: Life, announcement: Announcement): void {
    const { kind, epoch } = announcement;
    for (let index = 0; index < (this.#traits?.count ?? 0); index += 1) {
      const proxy = `p${String(index)}`;
      if (kind === 'heartbeat' && announcement.phase === 'primary') {
        this.#attach(life, proxy, epoch);
      } else if (kind === 'role' && announcement.role === 'closing') {
        this.#drain(life, proxy, epoch);
      }
    }
  }

  #attach(life: Life, proxy: string, epoch: number): void {
    if (this.#drained.has(`${proxy} ${life.name} ${String(epoch)}`)) return;
    life.later(this.#random.between(0.3, 3), () => {
      life.dispatch({ type: 'proxy-attached', proxy, epoch });
    });
  }

  #drain(life: Life, proxy: string, epoch: number): void {
    if (this.#random.happens(this.#traits?.silent ?? 0)) return;
    const longestMs = this.#random.pick([5, 5, 500, 8_000]);
    life.later(this.#random.between(0.3, longestMs), () => {
      this.#drained.add(`${proxy} ${life.name} ${String(epoch)}`);
      life.dispatch({ type: 'proxy-drained', proxy, epoch });
    });
  }
}

/** So that a run without proxies is the same run. */
const OWN_CHANCES = 0x2545f491;
