// Gives a lease back with one request, written by hand: a guard that loads a client for it is ten times as large.
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { RedisReturn } from '../../guard/messages.ts';

/** True: the server has done it. Never rejects: what can't be given back ends by itself. */
export async function giveBackToRedis(order: RedisReturn): Promise<boolean> {
  const { host, port, tls, greeting, request, timeoutMs } = order;
  const socket = tls ? (await import('node:tls')).connect(secure(host, port)) : connect(port, host);
  return new Promise((resolve) => {
    const done = (isDone: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(isDone);
    };
    const timer = setTimeout(() => {
      done(false);
    }, timeoutMs);
    socket.on('error', () => {
      done(false);
    });
    socket.on('close', () => {
      done(false);
    });
    const commands = [...greeting, request];
    countAnswers(socket, commands.length, done);
    socket.write(commands.map(encoded).join(''));
  });
}

function secure(host: string, port: number): { host: string; port: number; servername?: string } {
  // An address is no name of a server.
  return /^[\d.]+$|:/.test(host) ? { host, port } : { host, port, servername: host };
}

/** Each of these answers is one line: a number, a status or an error. */
function countAnswers(socket: Socket, expected: number, done: (isDone: boolean) => void): void {
  let text = '';
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => {
    text += chunk;
    const lines = text.split('\r\n').slice(0, -1);
    if (lines.some((line) => line.startsWith('-')) || text.length > ANSWER_LIMIT) done(false);
    else if (lines.length >= expected) done(true);
  });
}

const ANSWER_LIMIT = 4096;

/** A request as RESP has it. */
function encoded(command: readonly string[]): string {
  const parts = command.map((part) => `$${String(Buffer.byteLength(part))}\r\n${part}\r\n`);
  return `*${String(command.length)}\r\n${parts.join('')}`;
}
