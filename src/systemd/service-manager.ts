// What a service manager is told of this process, as sd_notify(3) describes it: datagrams to the socket that it names.
import { DgramSocket } from 'node-unix-socket';

/** Tells one message after the other. What can't be told is dropped: nobody waits for a service manager. */
export class ServiceManager {
  readonly #socket: string;
  readonly #onProblem: (why: string) => void;
  readonly #waiting: string[] = [];
  #isSending = false;
  #isTold = false;

  /** @param onProblem told once why nothing arrives */
  constructor(socket: string, onProblem: (why: string) => void) {
    this.#socket = socket;
    this.#onProblem = onProblem;
  }

  /** By name, such as `READY`; a text is cut to one line. */
  tell(fields: Readonly<Record<string, string>>): void {
    const lines = Object.entries(fields).map(([name, value]) => `${name}=${singleLine(value)}`);
    // The latest is what matters: what was said of before it is history.
    if (this.#waiting.length >= WAITING_LIMIT) this.#waiting.splice(1, 1);
    this.#waiting.push(lines.join('\n'));
    void this.#send();
  }

  async #send(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    for (let text = this.#waiting.shift(); text !== undefined; text = this.#waiting.shift()) {
      const problem = await sendOnce(this.#socket, text);
      if (problem !== null && !this.#isTold) {
        this.#isTold = true;
        this.#onProblem(problem);
      }
    }
    this.#isSending = false;
  }
}

const WAITING_LIMIT = 16;
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
      done(error instanceof Error ? error.message : String(error));
    }
  });
}

/** A manager that does not read for so long gets nothing more of this. */
const SEND_LIMIT_MS = 500;
