// What a node tells of the server of its lease: asked anew, or of a moment ago for who is content with that.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RemoteStore, StoredSight } from '../../src/lease/remote-store.ts';
import { StoreViews } from '../../src/runtime/store-view.ts';

let asked = 0;

const seen = { node: 'far', seenAgoMs: 10 } as StoredSight; // as no more of it is looked at

const remote = {
  listNodes: () => {
    asked += 1;
    return Promise.resolve([seen]);
  },
  readEvents: () => Promise.resolve([]),
} as unknown as RemoteStore; // as nothing else of it is asked for

beforeEach(() => {
  vi.useFakeTimers();
  asked = 0;
});

afterEach(() => {
  vi.useRealTimers();
});

describe('what the server of a lease shows', () => {
  it('is asked for anew, unless whoever asks is content with what is older', async () => {
    const views = new StoreViews();
    await Promise.all([views.see(remote, 2_000), views.see(remote, 2_000)]);
    expect(asked).toBe(1);
    vi.advanceTimersByTime(1_999);
    const { nodes } = await views.see(remote, 2_000);
    expect([asked, Math.round(nodes[0]?.seenAgoMs ?? 0)]).toEqual([1, 2_009]);
    await views.see(remote, 0);
    expect(asked).toBe(2);
    vi.advanceTimersByTime(2_000);
    await views.see(remote, 2_000);
    expect(asked).toBe(3);
  });

  it('is nothing where the lease is a file', async () => {
    await expect(new StoreViews().see(null, 0)).rejects.toThrow('the lease is a file');
  });
});
