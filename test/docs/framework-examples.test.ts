// The examples of the page on frameworks do what it says: each is run as it stands, as the leader and as a follower.
import { spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { send } from '../library/support/http-servers.ts';
import type { HttpAnswer } from '../library/support/http-servers.ts';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/until.ts';
import { makeExampleDirectory } from './support/example-directory.ts';
import { codeBlocks, readPage, runnablePart } from './support/pages.ts';

/** Far more than one takes to begin, also on a busy machine, ms. */
const LIMIT_MS = 60_000;

const examples = codeBlocks(runnablePart(readPage('docs/frameworks.md'))).map(({ code }) => {
  const imported = [...code.matchAll(/ from '(?!failover-cli)(.+)';$/gm)].map(([, name]) => name);
  return { uses: imported.join(' and '), code };
});

let directory = '';

beforeAll(() => {
  directory = makeExampleDirectory();
});

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

it.each(examples)('leads and follows with $uses', { timeout: 4 * LIMIT_MS }, async ({ code }) => {
  // None has types in it: so every version of Node runs it.
  writeFileSync(join(directory, 'example.mjs'), code);
  const leader = await run({});
  const follower = await run({ FAILOVER_STATIC_LEADER: leader.url });
  const body = '{"taken":{"item":"tea"}}';
  expect(await order(leader.url)).toMatchObject({ status: 200, body });
  expect(await order(follower.url)).toMatchObject({ status: 200, body });
  await leader.end();
  expect(await order(follower.url)).toMatchObject({ status: 502 });
});

interface Program {
  readonly url: string;
  end(): Promise<void>;
}

/** Resolves once it answers. */
async function run(env: NodeJS.ProcessEnv): Promise<Program> {
  const port = await freePort();
  const url = `http://127.0.0.1:${String(port)}`;
  const program = spawn(process.execPath, ['example.mjs'], {
    cwd: directory,
    env: { PORT: String(port), ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  let hasEnded = false;
  const ended = new Promise<void>((resolve) => {
    program.on('exit', () => {
      hasEnded = true;
      resolve();
    });
  });
  const end = (): Promise<void> => {
    program.kill('SIGKILL');
    return ended;
  };
  onTestFinished(end);
  let answers = false;
  const ask = (): void => {
    send(url).then(
      () => (answers = true),
      () => {
        if (!hasEnded) setTimeout(ask, 50);
      },
    );
  };
  ask();
  await until(`it to answer at ${url}`, () => answers || hasEnded, LIMIT_MS);
  expect(hasEnded).toBe(false);
  return { url, end };
}

function order(url: string): Promise<HttpAnswer> {
  const headers = { 'content-type': 'application/json' };
  return send(`${url}/orders`, { method: 'POST', headers, body: '{"item":"tea"}' });
}
