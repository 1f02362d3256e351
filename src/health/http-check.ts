// One check over HTTP: a GET, and any status from 200 to 399 passes.
import { networkFault } from './check-result.ts';
import type { Fault } from './check-result.ts';

/** A redirect is an answer and is not followed; the body is not read. Never rejects; ends when its signal aborts. */
export async function checkHttp(url: string, signal: AbortSignal): Promise<Fault | null> {
  // Loaded when used: most nodes never ask over HTTP.
  const { get } = url.startsWith('https:') ? await import('node:https') : await import('node:http');
  return new Promise((resolve) => {
    // No agent: a connection kept alive would keep the workload's server from ending in order.
    const request = get(url, { agent: false, signal }, (response) => {
      const status = response.statusCode ?? 0;
      response.on('error', () => undefined).destroy();
      const passes = status >= 200 && status <= 399;
      resolve(passes ? null : { reason: 'status', error: `it answered ${String(status)}` });
    });
    request.on('error', (error) => {
      resolve(networkFault(error));
    });
    // A change of protocols that nobody asked for ends it without an answer, and without an error.
    request.on('close', () => {
      resolve({ reason: 'unreachable', error: 'it closed the connection without an answer' });
    });
  });
}
