// Outlives the harness in a session of its own, and ends all that it left, whatever became of it.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { markedProcesses, signal } from '../support/process-list.ts';
import { unmount } from '../support/small-disk.ts';

/** Marks of groups that have not been cleared, and their directories. */
const left = new Map<string, string>();

/** `begin MARK DIRECTORY` and `done MARK`, a line each; the end of the input is the end of the harness. */
for await (const line of createInterface({ input: process.stdin })) {
  const [verb, mark = '', directory = ''] = line.split(' ');
  if (verb === 'begin') left.set(mark, directory);
  else left.delete(mark);
}

/** As long as it takes for nobody to be left who could start another. */
for (let quietRounds = 0, round = 0; quietRounds < 3 && round < 1000; round += 1) {
  const processes = [...left.keys()].flatMap((mark) => markedProcesses(mark));
  for (const { pid } of processes) signal(pid, 'SIGKILL');
  quietRounds = processes.length === 0 ? quietRounds + 1 : 0;
  await delay(30);
}
for (const directory of left.values()) {
  unmount(join(directory, 'state'));
  rmSync(directory, { recursive: true, force: true });
}
