// The wait of a node whose id may be another's: a signal ends it in order, as it would end the node.
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

export class IdWait {
  readonly #tell: (fact: string) => void;
  readonly #controller = new AbortController();
  #endedBy: string | null = null;
  #isListening = false;

  constructor(tell: (fact: string) => void) {
    this.#tell = tell;
  }

  /** The name of the signal that has ended it; null: none has. */
  get endedBy(): string | null {
    return this.#endedBy;
  }

  readonly begin = (fact: string): AbortSignal => {
    this.#tell(fact);
    if (this.#isListening) return this.#controller.signal;
    this.#isListening = true;
    for (const signal of SIGNALS) process.once(signal, this.#onSignal);
    return this.#controller.signal;
  };

  /** From here on signals are somebody else's. */
  end(): void {
    this.#isListening = false;
    for (const signal of SIGNALS) process.off(signal, this.#onSignal);
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    this.#endedBy ??= signal;
    this.#controller.abort();
  };
}
