// How long the leader alone is waited for: not while its client still has to send, or takes nothing of the answer.
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';

export interface Forwarded {
  readonly sent: ClientRequest;
  /** It is on its way into `sent` already; null: there is none. */
  readonly body: Readable | null;
}

/** Calls back when the leader has not connected, taken of the body or given anything for so long, ms, and it was its turn. */
export function limitSilence({ sent, body }: Forwarded, limitMs: number, onOver: () => void): void {
  let answer: IncomingMessage | null = null;
  let timer: NodeJS.Timeout | undefined;
  const isItsTurn = (): boolean => {
    if (sent.destroyed || answer?.isPaused() === true) return false;
    const hasAllThereIs = sent.socket?.connecting === false && sent.writableLength === 0;
    return !hasAllThereIs || body === null || body.readableEnded;
  };
  const stop = (): void => {
    clearTimeout(timer);
    timer = undefined;
  };
  const over = (waited: NodeJS.Timeout | undefined): void => {
    if (timer !== waited) return;
    stop();
    if (isItsTurn()) onOver();
  };
  const look = (): void => {
    if (!isItsTurn()) stop();
    else {
      timer ??= setTimeout(() => {
        const waited = timer;
        // Who stood still first hears what has come meanwhile.
        setImmediate(() => setImmediate(over, waited));
      }, limitMs);
    }
  };
  const renew = (): void => {
    stop();
    look();
  };
  look();
  sent.on('socket', (socket) => {
    socket.on('connect', renew).on('data', renew);
  });
  sent.on('drain', renew).on('close', stop);
  body?.on('data', look).on('end', renew);
  sent.on('response', (response) => {
    answer = response;
    response.on('pause', stop).on('resume', renew);
  });
}
