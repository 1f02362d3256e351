// A proxy under load while its primary crashes, hangs and is switched over by chance.
import { describe, expect, it } from 'vitest';
import { until } from '../support/until.ts';
import { Ledger, Load, startSoakPrimary } from './support/soak.ts';
import { startProxy } from './support/proxied.ts';

const ROUNDS = 12;
const FAULTS = ['crash', 'crash heard of late', 'hang', 'switchover'] as const;

describe('a proxy under load', () => {
  it('loses no safe request, does no unsafe one twice, and names each that it lost', async () => {
    const { proxy, port } = await startProxy();
    const { listener } = proxy;
    const ledger = new Ledger();
    const load = new Load(port);
    const running = load.run(48);
    let isHung = false;
    let primary = await startSoakPrimary(1, ledger, () => isHung);
    listener.ready(primary.term);
    let lostOnSwitchover = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const before = load.count;
      await until('some load', () => load.count >= before + 150);
      const fault = FAULTS[round % FAULTS.length];
      const { server } = primary;
      const lostBefore = lossOf(load);
      if (fault === 'switchover') {
        await new Promise<void>((resolve) => {
          listener.closing(resolve);
        });
        server.close();
        server.closeAllConnections();
        lostOnSwitchover += lossOf(load) - lostBefore;
      } else if (fault === 'hang') {
        isHung = true;
        listener.doubted('it is silent');
        await until('new ones to be held', () => proxy.report().held > 0);
        server.closeAllConnections();
        server.close();
        listener.lost('it was fenced');
        isHung = false;
      } else {
        server.close();
        server.closeAllConnections();
        if (fault === 'crash') listener.lost('its process is gone');
        await until('requests to be held', () => proxy.report().held > 0);
        if (fault !== 'crash') listener.lost('its process is gone');
      }
      primary = await startSoakPrimary(round + 2, ledger, () => isHung);
      listener.ready(primary.term);
      await until('the held ones to go', () => proxy.report().held === 0);
    }
    load.stop();
    await running;
    primary.server.close();
    primary.server.closeAllConnections();
    const { safeLost, wrong, unsafeLost } = load.result;
    expect({ safeLost, wrong, twice: ledger.twice, lostOnSwitchover }).toEqual({
      ...{ safeLost: 0, wrong: 0, twice: 0, lostOnSwitchover: 0 },
    });
    expect([...unsafeLost.keys()].filter((code) => code !== 'unsafe-in-flight')).toEqual([]);
    const { counts, held, underWay, bytes } = proxy.report();
    expect(counts.refusedFor('unsafe-in-flight')).toBe(unsafeLost.get('unsafe-in-flight') ?? 0);
    expect({ held, underWay, bytes }).toEqual({ held: 0, underWay: 0, bytes: 0 });
    expect(load.result.answered).toBeGreaterThan(1_000);
  }, 60_000);
});

function lossOf({ result }: Load): number {
  return result.safeLost + [...result.unsafeLost.values()].reduce((sum, count) => sum + count, 0);
}
