// The output of several groups on one stream: whole lines, each with its group before it.
import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { PrefixedLines } from '../../../src/cli/up/prefixed.ts';

async function lines(...chunks: readonly Buffer[]): Promise<string> {
  const written: Buffer[] = [];
  const target = new Writable({
    write(chunk: Buffer, _encoding, done) {
      written.push(chunk);
      done();
    },
  });
  const output = new PrefixedLines('web', target);
  for (const chunk of chunks) output.write(chunk);
  await new Promise<void>((resolve) => output.end(resolve));
  return Buffer.concat(written).toString();
}

it('names the group before each line, and ends the last one', async () => {
  expect(await lines(Buffer.from('a\n\nb'))).toBe('web | a\nweb | \nweb | b\n');
  expect(await lines(Buffer.from('a\n'))).toBe('web | a\n');
  expect(await lines()).toBe('');
});

it('keeps a character that comes in two pieces, and bytes that are none', async () => {
  const text = Buffer.from('gr\u00fc\u00df \u2713\n');
  for (let at = 0; at <= text.length; at += 1) {
    expect(await lines(text.subarray(0, at), text.subarray(at))).toBe(
      'web | gr\u00fc\u00df \u2713\n',
    );
  }
});

it('cuts a line that is too long, whether it ends or not', async () => {
  const limit = 16 * 1024;
  const long = 'x'.repeat(3 * limit);
  expect(await lines(Buffer.from(`${long}\ny`))).toBe(
    `${`web | ${'x'.repeat(limit)}\n`.repeat(3)}web | y\n`,
  );
  const pieces = Array.from({ length: 48 }, () => Buffer.from('x'.repeat(1024)));
  expect((await lines(...pieces)).length).toBe(3 * (limit + 'web | \n'.length));
});
