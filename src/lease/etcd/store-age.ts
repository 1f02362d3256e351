// Whether a store has been in use for a while. One that was begun anew may have forgotten a lease that still lasts.
import type { EtcdConnection } from './etcd-connection.ts';
import { STORE } from './keys.ts';
import { absent, newLeaseId, put } from './requests.ts';
import type { Ask } from './requests.ts';

/** Long enough to tell the age by what is left of it, and the longest time that a store can vouch for, ms. */
const YOUTH_MS = 3_600_000;

/** A store that nobody has used yet is marked: it is young from now on. */
export async function isYounger(ask: Ask, ageMs: number): Promise<boolean> {
  if (ageMs >= YOUTH_MS) return true;
  const { kvs } = await ask((connection) =>
    connection.range({ key: STORE.key, range_end: STORE.range_end }),
  );
  if (!kvs.some(({ key }) => key.equals(STORE.known))) {
    await ask(mark);
    return true;
  }
  const young = kvs.find(({ key }) => key.equals(STORE.young))?.lease;
  if (young === undefined) return false;
  const age = await ask((connection) => connection.ageOf(young));
  if (age === null) return false;
  // What is left is rounded down.
  return (age.grantedSeconds - age.leftSeconds - 1) * 1000 <= ageMs;
}

/** No clock of the server can be asked: a lease that nobody renews is one. */
async function mark(connection: EtcdConnection): Promise<void> {
  const id = newLeaseId();
  await connection.grant(id, YOUTH_MS);
  const { succeeded } = await connection.txn({
    compare: [absent(STORE.known)],
    success: [put(STORE.known, '1'), put(STORE.young, '1', id)],
  });
  if (!succeeded) await connection.revoke(id);
}
