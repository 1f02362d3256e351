// Begins the files of tests that take longest first: one of them that is begun last is waited for alone.
import { relative } from 'node:path';
import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';

/** By how long they take. Of the others the larger go first. */
const LONGEST = [
  ...['process/redis', 'process/postgres', 'process/etcd', 'process/timed-file'],
  ...['process/drill', 'process/clients', 'contracts/redis', 'contracts/postgres'],
  ...['process/promises', 'contracts/etcd', 'process/priority', 'hosts/hosts'],
  ...['process/wrappers', 'process/storage', 'process/same-id', 'process/commands'],
  ...['process/attacks', 'process/proxied-group', 'process/earlier-directory', 'process/shapes'],
  ...['contracts/timed-file', 'process/guard-demotion', 'process/successors', 'process/hooks'],
  ...['process/peers', 'process/apart', 'process/tools', 'process/stops'],
].map((name) => `test/${name}.test.ts`);

export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = (name: string): boolean => LONGEST.includes(name);
    const named = sorted.map((file) => ({
      file,
      name: relative(this.ctx.config.root, file.moduleId),
    }));
    const first = LONGEST.flatMap((name) => named.filter((one) => one.name === name));
    return [...first, ...named.filter(({ name }) => !isLong(name))].map(({ file }) => file);
  }
}
