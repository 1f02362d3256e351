// How a proxy checks the servers that it may choose among: whether a connection is accepted.

export const SERVER_CHECK = { intervalMs: 1_000, timeoutMs: 500 } as const;
