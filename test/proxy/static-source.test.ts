// Servers that are no group: which one is gone to.
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseTargets } from '../../src/config/proxy-address.ts';
import { StaticSource } from '../../src/proxy/static-source.ts';
import { ask, startPrimary, startProxy } from './support/proxied.ts';

describe('a list of servers', () => {
  it('is followed: the first that answers, and the next when it does not', async () => {
    const [first, second] = [await startPrimary('a', 1), await startPrimary('b', 1)];
    const { proxy, port } = await startProxy();
    const source = new StaticSource(parseTargets(`${first.term.target},${second.term.target}`));
    onTestFinished(() => source.close());
    await source.start(proxy.listener);
    expect(await ask(port)).toMatchObject({ status: 200 });
    expect([first.requests.length, second.requests.length]).toEqual([1, 0]);
    first.kill();
    expect(await ask(port)).toMatchObject({ status: 200 });
    expect(second.requests).toHaveLength(1);
  });

  it('of one is trusted without a check', async () => {
    const primary = await startPrimary('a', 1);
    const { proxy, port } = await startProxy();
    const source = new StaticSource(parseTargets(primary.term.target));
    await source.start(proxy.listener);
    expect(await ask(port)).toMatchObject({ status: 200 });
    await source.close();
  });
});
