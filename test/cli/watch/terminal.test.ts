// The terminal of the live view, around a suspension: it is never taken again by a view that ends.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Terminal } from '../../../src/cli/watch/terminal.ts';

const ENTERED = '\u001b[?1049h';

let written = '';

beforeEach(() => {
  vi.useFakeTimers();
  written = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written += String(text);
    return true;
  });
  // As in a process group without a parent in its session: SIGTSTP has no effect there.
  vi.spyOn(process, 'kill').mockReturnValue(true);
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('a terminal that was suspended', () => {
  it('is taken again once it goes on', () => {
    const { terminal } = suspended();
    vi.advanceTimersByTime(1_000);
    expect(written).toContain(ENTERED);
    terminal.close();
  });

  it('is not taken again once it is closed, and no timer is left', () => {
    const { terminal } = suspended();
    terminal.close();
    expect(vi.getTimerCount()).toBe(0);
    process.emit('SIGCONT', 'SIGCONT');
    expect(written).toBe('');
  });

  it('is not taken again where it is told to end and to go on, as `kill %1` does', () => {
    const { terminal, end } = suspended();
    end.abort();
    process.emit('SIGCONT', 'SIGCONT');
    vi.advanceTimersByTime(1_000);
    expect(written).toBe('');
    terminal.close();
  });
});

function suspended(): { readonly terminal: Terminal; readonly end: AbortController } {
  const end = new AbortController();
  const handlers = { onKey: () => undefined, onRedraw: () => undefined };
  const terminal = new Terminal(handlers, end.signal);
  terminal.open();
  process.emit('SIGTSTP', 'SIGTSTP');
  written = '';
  return { terminal, end };
}
