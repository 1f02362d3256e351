// What Prometheus is told of a server of HTTP: who asked for what, who was refused, and who follows events.
import { Counter, Gauge, Registry } from 'prom-client';

export class HttpMeters {
  readonly #registry = new Registry();
  readonly #requests: Counter;
  readonly #tokens: Counter;
  readonly #clients: Gauge;
  readonly #cutOff: Counter;

  constructor() {
    const registers = [this.#registry];
    this.#requests = new Counter({
      name: 'failover_http_requests_total',
      help: 'HTTP requests, by path and status; other: not a path of this server.',
      labelNames: ['path', 'status'],
      registers,
    });
    this.#tokens = new Counter({
      name: 'failover_http_tokens_refused_total',
      help: 'HTTP requests with a wrong token.',
      registers,
    });
    this.#clients = new Gauge({
      name: 'failover_http_event_clients',
      help: 'Clients following events over HTTP.',
      registers,
    });
    this.#cutOff = new Counter({
      name: 'failover_http_event_clients_cut_off_total',
      help: 'Clients disconnected because they did not read their events.',
      registers,
    });
  }

  /** `path`: as in the table of paths, so that whoever asks for anything makes no more of them. */
  readonly count = (path: string, status: number): void => {
    this.#requests.inc({ path, status: String(status) });
  };

  readonly tokenRefused = (): void => {
    this.#tokens.inc();
  };

  readonly eventClients = (count: number): void => {
    this.#clients.set(count);
  };

  readonly cutOff = (): void => {
    this.#cutOff.inc();
  };

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
