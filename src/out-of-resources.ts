// Whether a failed look says nothing: the system had nothing left to look with.

/**
 * True for errors that tell of this process or the system and not of what was looked for. Who takes them
 * for "it is not there" starts a second copy of what is.
 */
export function isOutOfResources(error: unknown): boolean {
  return error instanceof Error && 'code' in error && CODES.has(error.code);
}

/** True where no more files may be open at a time, in this process or on the machine. */
export function isOutOfDescriptors(error: unknown): boolean {
  return error instanceof Error && 'code' in error && DESCRIPTOR_CODES.has(error.code);
}

const DESCRIPTOR_CODES: ReadonlySet<unknown> = new Set(['EMFILE', 'ENFILE']);

const CODES: ReadonlySet<unknown> = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EIO', 'EAGAIN']);
