// Asks the server for a change, with the token of this tab.

const KEY = 'failover-token';

/** What came of it. */
export interface ChangeAnswer {
  readonly isDone: boolean;
  /** The sentences of the command, or why not and what to do. */
  readonly text: string;
  /** The token is missing or wrong. */
  readonly needsToken: boolean;
}

export interface ChangeRequest {
  readonly group: string;
  readonly change: 'promote' | 'demote' | 'pause' | 'resume';
  readonly body: Readonly<Record<string, unknown>>;
}

export function knownToken(): string | null {
  return sessionStorage.getItem(KEY);
}

export function keepToken(token: string | null): void {
  if (token === null || token === '') sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, token);
}

/** `failover dashboard` prints an address with its token behind `#`, which no server is ever sent. */
export function takeTokenFromAddress(): void {
  const words = new URLSearchParams(location.hash.slice(1));
  const token = words.get('token');
  if (token === null) return;
  keepToken(token);
  words.delete('token');
  history.replaceState(null, '', `#${words.toString()}`);
}

/** Never rejects. */
export async function askFor({ group, change, body }: ChangeRequest): Promise<ChangeAnswer> {
  try {
    const answer = await fetch(`/groups/${encodeURIComponent(group)}/${change}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${knownToken() ?? ''}`,
      },
      body: JSON.stringify(body),
    });
    // The server is of the same version as this page, which it has served.
    const told = (await answer.json()) as {
      readonly said?: readonly string[];
      readonly notes?: readonly string[];
      readonly error?: string;
      readonly hint?: string | null;
    };
    const sentences = answer.ok
      ? [...(told.said ?? []), ...(told.notes ?? [])]
      : [told.error ?? `The server answered with ${String(answer.status)}`, told.hint ?? ''];
    const text = sentences
      .filter((one) => one !== '')
      .map(asSentence)
      .join(' ');
    return { isDone: answer.ok, text, needsToken: answer.status === 401 };
  } catch {
    const text = 'The server did not answer; check above whether the change was made.';
    return { isDone: false, text, needsToken: false };
  }
}

function asSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
