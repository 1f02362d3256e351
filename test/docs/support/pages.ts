// The pages of the manual, and what the tests look for in them: links, code and the parts that are run.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT: string = join(import.meta.dirname, '..', '..', '..');

export interface Page {
  /** Relative to the root: `docs/library.md`. */
  readonly path: string;
  readonly text: string;
}

/** A fenced block, without its fence. */
export interface CodeBlock {
  readonly language: string;
  readonly code: string;
}

/** README, what stands beside it, and every page of docs/. */
export function readPages(): readonly Page[] {
  const docs = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
  const beside = ['CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md'];
  const paths = ['README.md', ...beside, ...docs.map(inDocs)];
  return paths.map(readPage);
}

export function readPage(path: string): Page {
  return { path, text: readFileSync(join(ROOT, path), 'utf8') };
}

export function codeBlocks(text: string): readonly CodeBlock[] {
  return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language = '', code = '']) => ({
    language,
    code,
  }));
}

/** What stands between the markers of the part that is run by a test. */
export function runnablePart({ path, text }: Page): string {
  const part = /<!-- test:begin -->(.*?)<!-- test:end -->/s.exec(text)?.[1];
  if (part === undefined) throw new Error(`${path} has no part that is run`);
  return part;
}

/** Everything but code. */
export function prose(text: string): string {
  return text.replaceAll(/^```.*?^```$/gms, '').replaceAll(/`[^`\n]*`/g, '');
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchors(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function inDocs(name: string): string {
  return join('docs', name);
}
