// A process behind its gate that says something else of itself than it is.
import type { GatedProcess } from '../../src/workload/gate.ts';

/** @param endedAtMs as its callbacks are told; left out: as it is */
export function disguised(
  gated: GatedProcess,
  identity: GatedProcess['identity'],
  endedAtMs?: number,
): GatedProcess {
  return {
    identity,
    stdout: gated.stdout,
    stderr: gated.stderr,
    open: (message) => {
      gated.open(message);
    },
    close: () => {
      gated.close();
    },
    end: () => gated.end(),
    onEnd: (callback) => {
      gated.onEnd((end, atMs) => {
        callback(end, endedAtMs ?? atMs);
      });
    },
  };
}
