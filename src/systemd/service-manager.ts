// What a service manager is told of this process, as sd_notify(3) describes it: datagrams to the socket that it names.
import { DgramSocket } from 'node-unix-socket';
import { messageOf } from '../error-message.ts';

/**
 * Tells what is still to be told in one message. What can't be told is tried again, for as long as the process has
 * something else to do: nobody waits for a service manager, and one that never heard READY or STOPPING ends a healthy node.
 */
export class ServiceManager {
  readonly #socket: string;
  readonly #onProblem: (why: string) => void;
  /** By name: the latest is what matters, and what was said of before it is history. */
  readonly #untold = new Map<string, string>();
  #sending: Promise<boolean> | null = null;
  #retry: NodeJS.Timeout | null = null;
  #hasComplained = false;

  /** @param onProblem told once why nothing arrives */
  constructor(socket: string, onProblem: (why: string) => void) {
    this.#socket = socket;
    this.#onProblem = onProblem;
  }

  /** By name, such as `READY`; a text is cut to one line. Resolves with whether all that there was has been told. */
  async tell(fields: Readonly<Record<string, string>>): Promise<boolean> {
    for (const [name, value] of Object.entries(fields)) this.#untold.set(name, singleLine(value));
    this.#sending ??= this.#send();
    return this.#sending;
  }

  async #send(): Promise<boolean> {
    if (this.#retry !== null) clearTimeout(this.#retry);
    let problem: string | null = null;
    while (problem === null && this.#untold.size > 0) problem = await this.#sendNext();
    // Before anybody hears of it: what they tell then is sent at once.
    this.#sending = null;
    if (problem === null) return true;
    if (!this.#hasComplained) {
      this.#hasComplained = true;
      this.#onProblem(problem);
    }
    // It counts for the moment at which it was given; whoever gave it looks again.
    this.#untold.delete('WATCHDOG');
    if (this.#untold.size > 0) {
      this.#retry = setTimeout(() => void this.tell({}), RETRY_MS).unref();
    }
    return false;
  }

  /** Why it could not be sent; null: it was. */
  async #sendNext(): Promise<string | null> {
    // A manager that finds both in one message takes the end alone, and misses the start.
    const isEarly = this.#untold.has('READY');
    const fields = [...this.#untold].filter(([name]) => !isEarly || name !== 'STOPPING');
    const text = fields.map(([name, value]) => `${name}=${value}`).join('\n');
    const problem = await sendOnce(this.#socket, text);
    if (problem !== null) return problem;
    for (const [name, value] of fields) {
      // It may have been said anew meanwhile.
      if (this.#untold.get(name) === value) this.#untold.delete(name);
    }
    return null;
  }
}

const RETRY_MS = 1_000;
const TEXT_LIMIT = 500;

function singleLine(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ').slice(0, TEXT_LIMIT);
}

/**
 * Why it could not be sent; null: it was. A socket for each: one that stays open would keep the process, and one that
 * the manager has made anew would not be reached by it.
 */
function sendOnce(path: string, text: string): Promise<string | null> {
  return new Promise((resolve) => {
    let socket: DgramSocket | null = null;
    const done = (problem: string | null): void => {
      clearTimeout(timer);
      socket?.close();
      resolve(problem);
    };
    const timer = setTimeout(() => {
      done('its socket is full');
    }, SEND_LIMIT_MS);
    try {
      socket = new DgramSocket();
      socket.on('error', ({ message }: Error) => {
        done(message);
      });
      const bytes = Buffer.from(text);
      socket.sendTo(bytes, 0, bytes.length, path, (error) => {
        done(error?.message ?? null);
      });
    } catch (error) {
      done(messageOf(error));
    }
  });
}

/**
 * What is sent at all is sent at once. To a socket that is full the binding tries without a pause, for as long as it is
 * open: the processor would be busy with nothing else.
 */
const SEND_LIMIT_MS = 20;
