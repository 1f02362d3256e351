// What the address of a server is made of, whichever server it is.

export const LAST_PORT = 65_535;

/** Null: it is none. */
export function urlOf(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null;
}

/** As it is connected to: an address of IPv6 without its brackets. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

/** The one given, else the usual one; null: it is one that nobody can connect to. */
export function portOf({ port }: URL, usual: number): number | null {
  const number = port === '' ? usual : Number(port);
  return number === 0 ? null : number;
}

/** Null: not given. A `%` that begins no escape is meant as it stands. */
export function decoded(part: string): string | null {
  if (part === '') return null;
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
