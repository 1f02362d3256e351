// Watches one run until it is ready, by whichever kind of check was asked for.
import type { ReadyWhen } from '../config/ready-when.ts';
import { nodeEnvironment, termEnvironment } from './environment.ts';
import type { GateMessage, NodeContext } from './environment.ts';
import { LineMatcher } from './line-matcher.ts';
import { watchOutput } from './output.ts';
import type { OutputSource } from './output.ts';
import { waitUntilReady } from './ready.ts';

export interface ReadinessRequest {
  readonly check: ReadyWhen;
  /** The run's output, for a check of lines. */
  readonly source: OutputSource;
  readonly context: NodeContext;
  readonly message: GateMessage;
  readonly deathSignal: boolean;
}

/** Calls back once when the check passes; aborting the controller ends the watch, silently. */
export function watchReadiness(request: ReadinessRequest, onReady: () => void): AbortController {
  const controller = new AbortController();
  const { check, context, message, deathSignal } = request;
  if (check.kind === 'log') {
    watchLines(request.source, check.pattern, { controller, onReady });
    return controller;
  }
  const environment = { ...nodeEnvironment(context, null), ...termEnvironment(message) };
  void waitUntilReady(check, { signal: controller.signal, environment, deathSignal }).then(
    (passed) => {
      if (passed) onReady();
    },
  );
  return controller;
}

/** Either stream may have the line. */
function watchLines(
  source: OutputSource,
  pattern: RegExp,
  { controller, onReady }: { readonly controller: AbortController; readonly onReady: () => void },
): void {
  const matched = (): void => {
    if (controller.signal.aborted) return;
    controller.abort();
    onReady();
  };
  const unwatch = watchOutput(source, [
    new LineMatcher(pattern, matched),
    new LineMatcher(pattern, matched),
  ]);
  controller.signal.addEventListener('abort', unwatch, { once: true });
}
