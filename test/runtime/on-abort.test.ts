// Signals that end things, and the wait for them.
import { describe, expect, it } from 'vitest';
import { onAbort, unlessAborted } from '../../src/runtime/on-abort.ts';

describe('what a signal ends', () => {
  it('ends once, at once where it has aborted before, and not after it was forgotten', () => {
    const ended: string[] = [];
    const controller = new AbortController();
    onAbort(controller.signal, () => ended.push('later'));
    const forget = onAbort(controller.signal, () => ended.push('forgotten'));
    onAbort(undefined, () => ended.push('without a signal'));
    onAbort(AbortSignal.abort(), () => ended.push('before'));
    forget();
    controller.abort();
    controller.abort();
    expect(ended).toEqual(['before', 'later']);
  });
});

describe('a wait', () => {
  it('gives what the work gives, and its error', async () => {
    const { signal } = new AbortController();
    expect(await unlessAborted(Promise.resolve(7), signal)).toBe(7);
    expect(await unlessAborted(Promise.resolve(7), undefined)).toBe(7);
    await expect(unlessAborted(Promise.reject(new Error('work')), signal)).rejects.toThrow('work');
  });

  it('is given up with the reason of the signal', async () => {
    const controller = new AbortController();
    const wait = unlessAborted(new Promise(() => undefined), controller.signal);
    controller.abort(new Error('enough'));
    await expect(wait).rejects.toThrow('enough');
    const given = AbortSignal.abort('a word');
    await expect(unlessAborted(new Promise(() => undefined), given)).rejects.toThrow(
      'aborted: a word',
    );
  });
});
