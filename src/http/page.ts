// The files of the dashboard as they are in the package: read once, with what a browser may do with them.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { extname, join } from 'node:path';
import { packageFile } from '../package-file.ts';

/** Nothing from elsewhere, nothing in the page itself, and no other page around it. */
const POLICY = [
  ...["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"],
  ...["img-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
  "require-trusted-types-for 'script'",
].join('; ');

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

interface PageFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly etag: string;
  readonly type: string;
}

export class Page {
  readonly #files: ReadonlyMap<string, PageFile>;

  /** Of the directory that the build has made. @throws where it is not there */
  constructor(directory: string = packageFile(join('dist', 'bundle', 'dashboard'))) {
    this.#files = new Map(readdirSync(directory).map((name) => [name, fileAt(directory, name)]));
  }

  /** Those beside the page itself, under `/assets/`. */
  get files(): readonly string[] {
    return [...this.#files.keys()].filter((name) => name !== 'index.html');
  }

  answer(request: Request, name: string): Response {
    const file = this.#files.get(name);
    if (file === undefined) return new Response(null, { status: 404 });
    const { bytes, etag, type } = file;
    const headers = {
      'content-type': type,
      etag,
      // Asked for each time, and sent only where it is another one.
      'cache-control': 'no-cache',
      'content-security-policy': POLICY,
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
      'cross-origin-opener-policy': 'same-origin',
      vary: 'Accept',
    };
    if (request.headers.get('if-none-match') === etag) {
      return new Response(null, { status: 304, headers });
    }
    return new Response(bytes, { headers });
  }
}

function fileAt(directory: string, name: string): PageFile {
  const bytes = new Uint8Array(readFileSync(join(directory, name)));
  const digest = createHash('sha256').update(bytes).digest('base64url');
  return { bytes, etag: `"${digest}"`, type: TYPES[extname(name)] ?? 'application/octet-stream' };
}
