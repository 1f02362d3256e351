// How commands that go on until they are told to end are told so.

/** Aborts at Ctrl-C, a SIGTERM, or when the terminal is closed. */
export function endOnSignal(): AbortController {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      controller.abort();
    });
  }
  return controller;
}
