// The status of all groups, as far as they can be looked at.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { GroupView, ProblemView } from '../dashboard/wire.ts';
import { failureOf } from './failures.ts';
import type { GroupsSource } from './groups-source.ts';

/** A few at a time: there may be a thousand. One that can't be looked at keeps nobody from the others. */
export async function statusesOf(groups: GroupsSource): Promise<string> {
  const seen: GroupView[] = [];
  const problems: ProblemView[] = [];
  const left = [...groups.list()];
  const work = async (): Promise<void> => {
    for (let group = left.shift(); group !== undefined; group = left.shift()) {
      try {
        seen.push(await groups.status(group));
      } catch (error) {
        const { error: fact, code, hint } = failureOf(error).body;
        problems.push({ group, error: fact, code, hint });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  return textOf(seen.sort(byGroup), problems);
}

/** With pauses: of a thousand groups it is megabytes, and nodes of this process beat meanwhile. */
async function textOf(
  seen: readonly GroupView[],
  problems: readonly ProblemView[],
): Promise<string> {
  const texts: string[] = [];
  for (const [count, view] of seen.entries()) {
    if (count % A_TURN === 0) await nextTurn();
    texts.push(JSON.stringify(view));
  }
  return `{"v":1,"groups":[${texts.join(',')}],"problems":${JSON.stringify(problems)}}\n`;
}

/** Groups whose text is made in one turn of the loop. */
const A_TURN = 25;

/** Groups that are looked at at a time. */
const AT_A_TIME = 8;

function byGroup(a: GroupView, b: GroupView): number {
  return a.group < b.group ? -1 : 1;
}
