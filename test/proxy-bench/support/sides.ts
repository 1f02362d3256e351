// What is measured: a server alone, and the proxies before it, each a process of its own.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../support/free-port.ts';

export interface Side {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  readonly end: () => void;
}

const HERE = fileURLToPath(new URL('.', import.meta.url));
const FAILOVER = fileURLToPath(new URL('../../../bin/failover.js', import.meta.url));

export function startUpstream(): Promise<Side> {
  return startScript('none: the server itself', 'upstream.js', []);
}

export function startPlain(to: number): Promise<Side> {
  return startScript('a plain proxy on undici', 'plain-proxy.js', [
    `http://127.0.0.1:${String(to)}`,
  ]);
}

export type Mode = 'http' | 'tcp';

/** @param to a port; where nobody listens there all is held */
export async function startFailover(to: number, mode: Mode = 'http'): Promise<Side> {
  const port = await freePort();
  const listen = ['--listen', `127.0.0.1:${String(port)}`, '--hold', '10m', '--mode', mode];
  const args = [FAILOVER, 'proxy', ...listen, '--to', `${mode}://127.0.0.1:${String(to)}`];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  await said(child, 'Forwarding to', 'stderr');
  return sideOf('failover proxy', port, child);
}

/** One thread: beside processes of one thread each. */
export async function startHaproxy(
  to: number,
  directory: string,
  mode: Mode = 'http',
): Promise<Side> {
  const port = await freePort();
  const file = join(directory, `haproxy-${mode}.cfg`);
  writeFileSync(
    file,
    `global
  maxconn 5000
  nbthread 1
defaults
  mode ${mode}
  timeout connect 3s
  timeout client 1h
  timeout server 1h
listen proxied
  bind 127.0.0.1:${String(port)}
  server upstream 127.0.0.1:${String(to)}
`,
  );
  const child = spawn('haproxy', ['-db', '-q', '-f', file], { stdio: 'ignore' });
  while (!(await isReachable(port))) {
    if (child.exitCode !== null)
      throw new Error(`HAProxy has ended with ${String(child.exitCode)}`);
    await wait(20);
  }
  return sideOf('HAProxy', port, child);
}

export function startTalker(): Promise<Side> {
  return startScript('none: the server itself', 'talker.js', []);
}

export function startPlainSplice(to: number): Promise<Side> {
  return startScript('a plain splice on node:net', 'plain-splice.js', [String(to)]);
}

async function startScript(name: string, script: string, args: readonly string[]): Promise<Side> {
  const child = spawn(process.execPath, [join(HERE, script), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const text = await said(child, '\n', 'stdout');
  return sideOf(name, Number(text), child);
}

function sideOf(name: string, port: number, child: ChildProcess): Side {
  const end = (): void => {
    child.kill('SIGKILL');
  };
  return { name, port, pid: child.pid ?? 0, end };
}

function isReachable(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => {
      resolve(false);
    });
  });
}

/** Resolves with what it has said by then. */
function said(child: ChildProcess, words: string, where: 'stdout' | 'stderr'): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child[where]?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes(words)) resolve(text);
    });
    child.on('error', reject);
    child.on('exit', (code) => {
      reject(new Error(`It has ended with ${String(code)}: ${text}`));
    });
  });
}
