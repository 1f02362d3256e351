// One request of a client: through the gate to the primary, again where that is safe, and its answer back.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../runtime/ports.ts';
import { afterReads } from './after-reads.ts';
import { Answer, isEventStream } from './answer.ts';
import { Attempt } from './attempt.ts';
import type { AnswerListener } from './answer.ts';
import type { ClientConnection, OpenRequest } from './client-connection.ts';
import type {
  AnswerHead,
  AttemptFailure,
  AttemptListener,
  AttemptOrder,
  AttemptWay,
} from './attempt.ts';
import type { Gate, Place, Visitor } from './gate.ts';
import { answerHeaders, hasIdempotencyKey, noteHeaders, requestHeaders } from './headers.ts';
import type { PrimaryTerm } from './primary-source.ts';
import type { ProxyCounts } from './proxy-counts.ts';
import { isRead } from './read-choice.ts';
import type { ReadLane } from './read-lane.ts';
import type { Readers } from './readers.ts';
import { breakOff, refuse } from './refusals.ts';
import type { RefusalCode } from './refusals.ts';
import { afterFailure } from './repeat.ts';
import { bodyOf } from './request-body.ts';
import type { BodyLimits, Body } from './request-body.ts';
import type { Passable } from './screening.ts';
import type { NotedCode } from './summary.ts';
import { Tunnel } from './tunnel.ts';
import type { Upstream } from './upstream.ts';

/** What all requests of a proxy share. */
export interface Site extends AttemptWay {
  readonly gate: Gate;
  readonly upstream: Upstream;
  readonly readers: Readers;
  readonly counts: ProxyCounts;
  readonly clock: Clock;
  readonly bodyLimits: BodyLimits;
  readonly onRefused: (code: NotedCode) => void;
  /** No further request is to come over the connections there are. */
  readonly isStopping: () => boolean;
  /** The answer of a request has left, or its client has. */
  readonly onClosed: () => void;
}

export interface Asked extends Passable {
  readonly client: ClientConnection;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The client waits for `100 Continue` before it sends the body. */
  readonly expectsContinue: boolean;
  /** It asks for a WebSocket: what it has sent beyond the request. */
  readonly upgrade: { readonly socket: Socket; readonly head: Buffer } | null;
}

export class Exchange implements Visitor, AttemptListener, AnswerListener, OpenRequest {
  readonly #site: Site;
  readonly #asked: Asked;
  readonly #body: Body;
  readonly #answer: Answer;
  readonly #isRead: boolean;
  /** Where a read has been. */
  #tried: ReadonlySet<string> = NOWHERE;
  #place: Place | null = null;
  /** What it has come through in place of the gate. */
  #lane: ReadLane | null = null;
  #target = '';
  #attempt: Attempt | null = null;
  #tunnel: Tunnel | null = null;
  #repeats = 0;
  /** How many attempts had a connection and have lost it, also before anything was sent. */
  #losses = 0;
  #isEventStream = false;
  #isOver = false;
  #cancelStall: () => void = () => undefined;

  constructor(site: Site, asked: Asked) {
    this.#site = site;
    this.#asked = asked;
    const { client, request, response, expectsContinue } = asked;
    this.#isRead = site.readers.areOn && isRead(kindOf(request));
    this.#answer = new Answer(response, this);
    this.#body = bodyOf(request, site.bodyLimits, () => {
      if (expectsContinue) response.writeContinue();
    });
    response.on('close', () => {
      site.onClosed();
      this.clientGone();
      client.left(this);
    });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  start(): void {
    const hasRoom = !this.#asked.expectsContinue && this.#body.collect();
    // It is here at once: the primary is not kept waiting for a slow client, and nothing is sent by halves.
    if (hasRoom && this.#body.isShort) {
      this.#body.whenEnded(() => {
        this.#enter();
      });
    } else this.#enter();
  }

  go(term: PrimaryTerm, place: Place): void {
    this.#place = place;
    this.#target = term.target;
    if (this.#isRead) this.#tried = new Set([...this.#tried, term.target]);
    const { request, path, upgrade } = this.#asked;
    const order: AttemptOrder = {
      method: request.method ?? 'GET',
      path,
      headers: requestHeaders(this.#asked, term),
      body: this.#body.open(),
      upgrade: upgrade === null ? null : 'websocket',
      blocking: false,
    };
    const connections = this.#lane ?? this.#site.upstream;
    this.#attempt = new Attempt(connections.poolFor(term), order, this, this.#site);
  }

  refuse(code: RefusalCode): void {
    if (this.#isOver) return;
    this.#end();
    this.#site.counts.refuse(code);
    this.#site.onRefused(code);
    const closes = this.#site.isStopping() ? ['connection', 'close'] : [];
    refuse(this.#asked.response, code, [...noteHeaders(this.#notes()), ...closes]);
    this.#asked.client.answered();
  }

  abandon(): void {
    if (this.#isOver) return;
    this.#attempt?.abort();
    this.#end();
  }

  clientGone(): void {
    if (this.#isOver || this.#tunnel !== null) return;
    this.#site.counts.clientsGone += 1;
    this.abandon();
  }

  close(): void {
    if (this.#tunnel !== null) this.#tunnel.close();
    else if (this.#isEventStream) this.#endEvents();
  }

  cut(): void {
    if (this.#tunnel !== null) {
      this.#tunnel.cut();
      this.#leave();
    } else if (this.#isEventStream) this.#endEvents();
    else this.#cutAttempt();
  }

  onConnected(): void {
    if (this.#lane === null) this.#site.gate.reached();
  }

  hasGivenBody(): boolean {
    return this.#body.isOnItsWay;
  }

  handedOn(): number | null {
    return this.#body.handedOn;
  }

  onHead(head: AnswerHead): void {
    if (this.#lane === null) this.#site.gate.answered();
    if (this.#isRead) this.#site.readers.report(this.#target, true);
    this.#answer.begin(head, this.#asked.request.method ?? '', {
      repeats: this.#repeats,
      heldMs: this.#place?.waitedMs ?? 0,
      closes: this.#site.isStopping(),
    });
    if (!isEventStream(head) || this.#place === null) return;
    this.#isEventStream = true;
    (this.#lane ?? this.#site.gate).stream(this.#place);
  }

  onDrain(): void {
    this.#cancelStall();
    this.#attempt?.resume();
  }

  onData(chunk: Buffer): boolean {
    const takesMore = this.#answer.data(chunk);
    if (!takesMore) this.#limitStall();
    return takesMore;
  }

  onEnd(): void {
    if (this.#isOver) return;
    if (this.#lane !== null) this.#site.counts.reads += 1;
    this.#end();
    this.#site.counts.answered += 1;
    this.#answer.end();
    this.#asked.client.answered();
  }

  onUpgrade(head: AnswerHead, primary: Duplex): void {
    const { response, upgrade } = this.#asked;
    if (this.#isOver || upgrade === null || this.#place === null) {
      primary.destroy();
      return;
    }
    const { gate, counts, clock } = this.#site;
    const { idleTimeoutMs } = this.#site.limits;
    gate.answered();
    gate.stream(this.#place);
    counts.upgraded += 1;
    const headers = answerHeaders(head.headers, this.#notes());
    headers.push('connection', 'Upgrade', 'upgrade', 'websocket');
    response.detachSocket(upgrade.socket);
    upgrade.socket.write(headText(headers));
    if (upgrade.head.length > 0) upgrade.socket.unshift(upgrade.head);
    this.#tunnel = new Tunnel({
      ...{ client: upgrade.socket, primary, clock, idleTimeoutMs },
      onEnd: () => {
        this.#end();
      },
    });
  }

  onFailure(failure: AttemptFailure, wasSent: boolean): void {
    if (this.#isOver || this.#place === null) return;
    this.#body.closeStream();
    if (failure === 'bad-request') {
      this.#fail('bad-request');
      return;
    }
    if (this.#isRead) this.#site.readers.report(this.#target, false);
    // Another node may well answer what one does not.
    if (this.#lane !== null) this.#afterLoss('died', wasSent, this.#place);
    else if (failure === 'too-late') this.#fail('upstream-timeout');
    else if (failure === 'garbage') this.#fail('bad-answer');
    else this.#afterLoss(failure, wasSent, this.#place);
  }

  #enter(): void {
    if (!this.#goToReader()) this.#enterGate();
  }

  /** False: it is no read, or the primary is to take it. */
  #goToReader(): boolean {
    if (!this.#isRead) return false;
    const { gate, readers } = this.#site;
    const lane = readers.next({ isPrimaryFree: gate.isFree, tried: this.#tried });
    if (lane === null) return false;
    const { heldMs } = this.#notes();
    this.#leave();
    this.#lane = lane;
    lane.enter(this, heldMs);
    return true;
  }

  #enterGate(): void {
    if (this.#site.gate.isStopped) {
      this.refuse('stopping');
      return;
    }
    const place = this.#site.gate.enter(this);
    if (place === null) this.refuse('hold-full');
    else this.#place = place;
  }

  /** Its answer may be here already: a primary that answers and dies has answered. */
  #cutAttempt(): void {
    const attempt = this.#attempt;
    afterReads(() => {
      if (this.#isOver || this.#attempt !== attempt) return;
      const wasSent = attempt?.wasSent === true;
      attempt?.abort();
      this.onFailure('died', wasSent);
    });
  }

  #afterLoss(failure: 'unreached' | 'died', wasSent: boolean, place: Place): void {
    const { request } = this.#asked;
    const { method = '' } = request;
    const next = afterFailure({
      ...{ method, wasSent, repeats: this.#repeats },
      hasKey: hasIdempotencyKey(request),
      bodyIsWhole: this.#body.isWhole,
      answerHasBegun: this.#answer.hasBegun,
    });
    if (next !== 'repeat') {
      this.#fail('unsafe-in-flight');
      return;
    }
    if (failure === 'died') this.#losses += 1;
    if (wasSent) {
      this.#repeats += 1;
      this.#site.counts.repeated += 1;
    }
    this.#attempt = null;
    this.#answer.reset();
    this.#body.collect();
    if (this.#goToReader()) return;
    if (this.#lane === null) {
      const unreached = failure === 'unreached' || this.#losses > 1;
      this.#site.gate.again(place, { unreached });
      return;
    }
    this.#leave();
    this.#place = null;
    this.#lane = null;
    this.#enterGate();
  }

  #fail(code: RefusalCode): void {
    if (!this.#answer.hasBegun) {
      this.refuse(code);
      return;
    }
    this.#site.counts.cut += 1;
    this.#site.onRefused('broken-off');
    this.#end();
    breakOff(this.#asked.response);
  }

  /** Whoever listens connects again, and gets the events of the next primary. */
  #endEvents(): void {
    this.#attempt?.abort();
    this.onEnd();
  }

  /** One that takes nothing would keep its connection to the primary from the others for good. */
  #limitStall(): void {
    const { clock, limits } = this.#site;
    this.#cancelStall();
    this.#cancelStall = clock.wakeAt(clock.now() + limits.idleTimeoutMs, () => {
      this.clientGone();
      breakOff(this.#asked.response);
    });
  }

  #notes(): { readonly repeats: number; readonly heldMs: number } {
    return { repeats: this.#repeats, heldMs: this.#place?.waitedMs ?? 0 };
  }

  #end(): void {
    this.#isOver = true;
    this.#attempt = null;
    this.#cancelStall();
    this.#body.drop();
    this.#leave();
  }

  #leave(): void {
    if (this.#place !== null) (this.#lane ?? this.#site.gate).leave(this.#place);
  }
}

const NOWHERE: ReadonlySet<string> = new Set();

function kindOf({ method = '', headers }: IncomingMessage): Parameters<typeof isRead>[0] {
  const { 'content-length': length = '0', 'transfer-encoding': coding, upgrade } = headers;
  const hasBody = coding !== undefined || Number(length) !== 0;
  return { method, hasBody, isUpgrade: upgrade !== undefined };
}

function headText(headers: readonly string[]): string {
  const lines = ['HTTP/1.1 101 Switching Protocols'];
  for (let at = 0; at < headers.length; at += 2) {
    lines.push(`${headers[at] ?? ''}: ${headers[at + 1] ?? ''}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}
