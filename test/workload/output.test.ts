import { createHash } from 'node:crypto';
import { PassThrough, Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { LINE_LIMIT_BYTES, LineMatcher } from '../../src/workload/line-matcher.ts';
import { outputSink, watchOutput } from '../../src/workload/output.ts';
import { superviseIn, workloadDirectory } from '../support/workload.ts';
import { until } from '../support/until.ts';

/** Far more than the garbage that Node.js lets pile up before it collects: over 100 MB on some versions. */
const MEGABYTES = 400;
const LINE = 'a line of output '.repeat(8).trim();

/** On a machine that is busy with other things: far longer than it takes. */
const LIMIT_MS = 100_000;

/** What a run of `head -c` on a repeated line gives, hashed as it comes, by a reader that is slow at first. */
async function outputOf(
  log?: string,
  megabytes: number = MEGABYTES,
): Promise<{ bytes: number; hash: string; peakKiB: number }> {
  const supervisor = await superviseIn(workloadDirectory(), {
    script: `yes '${LINE}' | head -c ${String(megabytes * 1024 * 1024)}`,
    ...(log === undefined ? {} : { log }),
  });
  const hash = createHash('sha256');
  let bytes = 0;
  await supervisor.ask('activate');
  supervisor.child.stdout?.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    hash.update(chunk);
  });
  const ended = await supervisor.message('ended', LIMIT_MS);
  expect(ended.exitCode).toBe(0);
  await until('all output', () => bytes === megabytes * 1024 * 1024, LIMIT_MS);
  return { bytes, hash: hash.digest('hex'), peakKiB: ended.peakKiB ?? 0 };
}

function expectedHash(): string {
  const line = Buffer.from(`${LINE}\n`);
  const megabyte = Buffer.alloc(line.length * 1024 * 1024, line);
  const hash = createHash('sha256');
  let left = MEGABYTES * 1024 * 1024;
  for (; left > megabyte.length; left -= megabyte.length) hash.update(megabyte);
  return hash.update(megabyte.subarray(0, left)).digest('hex');
}

describe('the output of a workload', () => {
  it('passes untouched when it is inherited', { timeout: 2 * LIMIT_MS }, async () => {
    expect((await outputOf()).hash).toBe(expectedHash());
  });

  it(
    'passes untouched, in bounded memory, when its lines are watched',
    { timeout: 2 * LIMIT_MS },
    async () => {
      const passed = await outputOf('no such line');
      expect(passed.hash).toBe(expectedHash());
      // A process of this Node.js takes some by itself: the output did not pile up in it.
      const { peakKiB } = await outputOf('no such line', 1);
      expect(passed.peakKiB - peakKiB).toBeLessThan((MEGABYTES * 1024) / 2);
    },
  );

  it('waits for a slow reader instead of collecting', () => {
    const source = new PassThrough();
    const slow = new Writable({ highWaterMark: 1, write: () => undefined });
    outputSink({ stdout: slow, stderr: slow }).pass({ stdout: source, stderr: null });
    let taken = true;
    let written = 0;
    for (; taken && written < 1000; written += 1) taken = source.write(Buffer.alloc(1024));
    expect(written).toBeLessThan(1000);
  });

  it('ends for the writer when the reader has gone', async () => {
    const source = new PassThrough();
    const broken = new PassThrough();
    outputSink({ stdout: broken, stderr: broken }).pass({ stdout: source, stderr: null });
    broken.on('error', () => undefined);
    broken.destroy(new Error('EPIPE'));
    await until('the end of the source', () => source.destroyed);
  });
});

describe('LineMatcher', () => {
  function matched(pattern: RegExp, chunks: readonly (string | Buffer)[]): number {
    let matches = 0;
    const matcher = new LineMatcher(pattern, () => (matches += 1));
    for (const chunk of chunks) matcher.push(Buffer.from(chunk));
    return matches;
  }

  it('matches a line that comes in pieces, once', () => {
    expect(matched(/^ready on \d+$/, ['rea', 'dy on 80', '80\nready on 1\n'])).toBe(1);
    expect(
      matched(/^größer$/, [
        Buffer.from('größer\n').subarray(0, 3),
        Buffer.from('größer\n').subarray(3),
      ]),
    ).toBe(1);
  });

  it('takes a carriage return for a part of the line end', () => {
    expect(matched(/^ready$/, ['ready\r\n'])).toBe(1);
  });

  it('does not match across lines, nor a line that has not ended', () => {
    expect(matched(/ab/, ['a\nb\n'])).toBe(0);
    expect(matched(/ready/, ['ready'])).toBe(0);
  });

  it('looks at the beginning of a line that is too long, and at the line after it', () => {
    const long = 'x'.repeat(LINE_LIMIT_BYTES);
    expect(matched(/y/, [long, 'y\n'])).toBe(0);
    expect(matched(/^x+$/, [long, long, '\n'])).toBe(1);
    expect(matched(/^ready$/, [long, 'ready\nready\n'])).toBe(1);
  });

  it('sees nothing any more once the watching has ended', async () => {
    const stdout = new PassThrough();
    let matches = 0;
    const end = watchOutput({ stdout, stderr: null }, [new LineMatcher(/x/, () => (matches += 1))]);
    end();
    stdout.resume();
    stdout.end('x\n');
    await until('the end', () => stdout.readableEnded);
    expect(matches).toBe(0);
  });
});
