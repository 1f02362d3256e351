// What the code under test writes to standard output and standard error, kept instead of shown.
import { afterEach, beforeEach, vi } from 'vitest';

/** Of each test of the file; the exit code that was set is forgotten after it. */
export function captureOutput(): { stdout: string; stderr: string } {
  const output = { stdout: '', stderr: '' };

  const keep = (name: 'stdout' | 'stderr'): void => {
    output[name] = '';
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      output[name] += String(text);
      return true;
    });
  };

  beforeEach(() => {
    keep('stdout');
    keep('stderr');
  });

  afterEach(() => {
    vi.restoreAllMocks();
    process.exitCode = undefined;
  });

  return output;
}
