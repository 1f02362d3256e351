// Servers on free ports of this machine, and plain requests to them; all are closed when the test is over.
import { createServer, request } from 'node:http';
import type { Agent, IncomingHttpHeaders, RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface HttpServer {
  readonly url: string;
  /** From now on. */
  listener: RequestListener;
  close(): Promise<void>;
}

/** Answers with 404 until it has a listener. */
export async function serve(listener?: RequestListener): Promise<HttpServer> {
  const server = createServer((incoming, response) => {
    here.listener(incoming, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A server that listens on TCP has an address of this form.
  const { port } = server.address() as AddressInfo;
  const here: HttpServer = {
    url: `http://127.0.0.1:${String(port)}`,
    listener: listener ?? notFound,
    close: () => closed(server),
  };
  onTestFinished(() => closed(server));
  return here;
}

/** Answers with who it is and what it was asked. */
export function echo(name: string): RequestListener {
  return (request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      response.end([name, request.method, request.url, body].join(' '));
    });
  };
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Sends one request and reads its answer; follows nothing. */
export function send(
  url: string,
  {
    method = 'GET',
    body = '',
    headers = {},
    path,
    agent = false,
  }: {
    readonly method?: string;
    readonly body?: string | Buffer;
    readonly headers?: Readonly<Record<string, string>>;
    /** As it stands in the request line, where that is not of the URL. */
    readonly path?: string;
    /** By default each request has a connection of its own. */
    readonly agent?: Agent | false;
  } = {},
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const options = { method, headers, agent, ...(path === undefined ? {} : { path }) };
    const sent = request(url, options, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => {
        text += chunk;
      });
      answer.on('end', () => {
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}

const notFound: RequestListener = (_, response) => {
  response.writeHead(404).end();
};
