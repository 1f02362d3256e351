// How the program and its manual word things.
import { expect, it } from 'vitest';
import { readPages } from './support/pages.ts';
import { readSourceTexts } from './support/source-texts.ts';

const texts = readSourceTexts();
const pages = readPages().filter(({ path }) => path.startsWith('docs/'));

it('looks at all that the program says', () => {
  expect(texts.length).toBeGreaterThan(5000);
  expect(texts.filter(({ endsMessage }) => endsMessage).length).toBeGreaterThan(300);
});

it('writes cannot, as one word and in full', () => {
  const wrong = /\bcan(?:\\?['’]t| not)\b(?! only)/i;
  expect(texts.filter(({ text }) => wrong.test(text))).toEqual([]);
  const lines = pages.flatMap(({ path, text }) =>
    text.split('\n').map((line, index) => `${path}:${String(index + 1)}: ${line}`),
  );
  expect(lines.filter((line) => wrong.test(line))).toEqual([]);
});

it('ends no message of an error with a period: others put it in the middle of a sentence', () => {
  const ended = texts.filter(({ text, endsMessage }) => endsMessage && /[^.]\.$/.test(text));
  expect(ended).toEqual([]);
});
