// Which requests can be passed on at all, beyond what the parser has refused already. No I/O.
import type { IncomingMessage } from 'node:http';
import { HOPS_HEADER, hopsWith } from '../library/hops.ts';
import { pathOf } from '../library/leader-decision.ts';
import { countOf } from './headers.ts';
import type { RefusalCode } from './refusals.ts';

export interface Passable {
  /** With its query. */
  readonly path: string;
  readonly host: string | null;
  readonly hops: string;
}

/** @param self what this proxy is known by among hops */
export function screened(request: IncomingMessage, self: string): Passable | RefusalCode {
  const { url = '', rawHeaders, headers, httpVersion } = request;
  const coding = headers['transfer-encoding'];
  // The parser lets these through, where no client has ever sent them.
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return 'bad-request';
  // Two servers that read one of these differently see different requests in the same bytes.
  if (countOf(rawHeaders, 'host') > 1) return 'bad-request';
  if (coding !== undefined && (coding.toLowerCase() !== 'chunked' || httpVersion === '1.0')) {
    return 'bad-request';
  }
  const path = pathOf(url);
  const host = url.startsWith('/') ? (headers.host ?? null) : hostOf(url);
  if (path === null || /[^\x21\x22\x24-\x7e]/.test(path)) return 'bad-request';
  if (host !== null && !/^[\w.~%!$&'()*+,;=:[\]-]*$/.test(host)) return 'bad-request';
  const given = headers[HOPS_HEADER];
  const hops = hopsWith(self, given === undefined ? null : String(given));
  return hops === null ? 'loop' : { path, host, hops };
}

function hostOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url).host : null;
}
