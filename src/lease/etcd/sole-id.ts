// The id of a node as a key of its own, that names the run which has it: given by the transaction that registers the run.
import type * as etcd from 'etcd3';
import { parseJson } from '../file/durable-file.ts';
import type { JoinReply, Rival } from '../join-alone.ts';
import { readRival } from '../stored-records.ts';
import type { GroupKeys } from './keys.ts';
import { join } from './requests.ts';
import type { Ask } from './requests.ts';

/** How often an id may change hands between a look and a change. */
const ATTEMPTS = 4;

/** Makes the changes if the id is that of nobody, of the run itself, or of the one that is replaced. */
export async function joinUnderId(
  { ask, keys }: { readonly ask: Ask; readonly keys: GroupKeys },
  who: {
    readonly node: string;
    readonly run: string;
    /** The run that is thought to have the id; null: none. */
    readonly holder: string | null;
    readonly instead: string | null;
    /** What the id is to hang on. */
    readonly lease: string;
  },
  changes: readonly etcd.IRequestOp[],
): Promise<JoinReply<etcd.IResponseHeader>> {
  const { run, instead } = who;
  let { holder } = who;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const request = join(keys, { ...who, holder }, changes);
    const { succeeded, header, responses } = await ask((connection) => connection.txn(request));
    if (succeeded) {
      const isReplaced = holder !== null && holder !== run;
      const removed = isReplaced ? responses[1]?.response_delete_range.prev_kvs : undefined;
      // By that one that was taken for gone, and goes on, learns that it is not registered any more.
      for (const { lease } of removed ?? []) {
        ask((connection) => connection.revoke(lease)).catch(() => undefined);
      }
      return { type: 'joined', joined: header };
    }
    const [found] = responses[0]?.response_range.kvs ?? [];
    holder = found?.value.toString() ?? null;
    const isOther = holder !== null && holder !== run && holder !== instead;
    if (isOther) return { type: 'taken', by: await rivalOf({ ask, keys }, holder ?? '') };
  }
  return { type: 'taken', by: null };
}

/** The node that has the id; null: it has gone meanwhile, or this version does not understand its record. */
async function rivalOf(
  { ask, keys }: { readonly ask: Ask; readonly keys: GroupKeys },
  run: string,
): Promise<Rival | null> {
  const { kvs } = await ask((connection) => connection.range({ key: keys.node(run) }));
  const [found] = kvs;
  if (found === undefined) return null;
  const rival = readRival(parseJson(found.value.toString()));
  const age = await ask((connection) => connection.ageOf(found.lease));
  if (rival === null || age === null) return null;
  return { ...rival, seenAgoMs: (age.grantedSeconds - age.leftSeconds) * 1000 };
}
