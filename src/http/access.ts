// Who may change something over HTTP: who has the token, and is no page of another site in somebody's browser.
import { failureBody } from './failures.ts';
import type { FailureBody } from './failures.ts';
import { Refusals } from './refusals.ts';
import type { TokenCheck } from './token.ts';

export interface Asking {
  readonly header: (name: string) => string | undefined;
  /** Of whoever connected. */
  readonly address: string;
}

export interface Denial {
  readonly status: 401 | 403 | 415 | 429;
  readonly body: FailureBody;
  readonly headers: Readonly<Record<string, string>>;
}

export interface AccessParts {
  /** Null: nobody may change anything. */
  readonly token: TokenCheck | null;
  /** How to get a token, for callers that have none. */
  readonly hint: string;
  readonly now: () => number;
  readonly onRefused: () => void;
}

export class Access {
  readonly #parts: AccessParts;
  readonly #refusals: Refusals;

  constructor(parts: AccessParts) {
    this.#parts = parts;
    this.#refusals = new Refusals(parts.now);
  }

  /** Why a change is not even looked at; null: it is. */
  denies(asking: Asking): Denial | null {
    return crossSite(asking) ?? this.#denyToken(asking) ?? wrongType(asking);
  }

  #denyToken({ header, address }: Asking): Denial | null {
    const { token, hint, onRefused } = this.#parts;
    if (token === null) return deny(403, 'Changes are disabled: no token is configured', hint);
    const waitMs = this.#refusals.waitMs(address);
    if (waitMs > 0) {
      const seconds = Math.ceil(waitMs / 1000);
      const hintLater = `Try again in ${String(seconds)} s, or use the command line.`;
      const tooMany = deny(429, 'Too many wrong tokens from this address', hintLater);
      return { ...tooMany, headers: { 'retry-after': String(seconds) } };
    }
    const given = /^Bearer +(\S+) *$/i.exec(header('authorization') ?? '')?.[1];
    if (given === undefined) {
      const missing = deny(
        401,
        'A change requires the token',
        'Send it as `Authorization: Bearer TOKEN`.',
      );
      return { ...missing, headers: { 'www-authenticate': 'Bearer realm="failover"' } };
    }
    const isRight = token(given);
    if (isRight === true) return null;
    if (isRight === null) {
      const fact = 'Changes are disabled: the token file cannot be used';
      return deny(403, fact, 'Check the log of this server for the reason.');
    }
    this.#refusals.note(address, given);
    onRefused();
    const wrong = deny(401, 'The token is wrong', "Use the token from this server's token file.");
    return {
      ...wrong,
      headers: { 'www-authenticate': 'Bearer realm="failover", error="invalid_token"' },
    };
  }
}

/**
 * Browsers say from where a page asks; other programs don't, and are no page. What browsers make out themselves goes
 * before a comparison: behind a proxy neither the scheme nor the host need be those that they know.
 */
export function isCrossSite({ header }: Pick<Asking, 'header'>): boolean {
  const site = header('sec-fetch-site');
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  const origin = header('origin');
  return origin !== undefined && hostOf(origin) !== header('host')?.toLowerCase();
}

/** Null also for the `null` of a page that has no origin of its own. */
function hostOf(origin: string): string | null {
  return /^https?:\/\/([^/]+)$/i.exec(origin)?.[1]?.toLowerCase() ?? null;
}

function crossSite(asking: Asking): Denial | null {
  if (!isCrossSite(asking)) return null;
  return deny(
    403,
    'The request came from a page of another site',
    'Send it from a page of this server, or with curl.',
  );
}

function wrongType({ header }: Asking): Denial | null {
  const type = header('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  if (type === 'application/json') return null;
  return deny(
    415,
    'A change must be sent as JSON',
    'Send it with `Content-Type: application/json`.',
  );
}

function deny(status: Denial['status'], error: string, hint: string): Denial {
  return { status, body: failureBody(error, hint), headers: {} };
}
