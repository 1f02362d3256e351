// How often nodes say to a store that they are there, and how long that counts: for who knows no client of any store.

/** A node that was not seen for so long is no longer listed, ms: far longer than it pauses between two signs of life. */
export const REGISTRATION_TTL_MS = 30_000;

/** How often a node says that it is there, ms, to a store where a look shows nobody who looked. */
export const SIGN_PAUSE_MS = { etcd: 5_000, 'timed-file': 5_000 } as const;
