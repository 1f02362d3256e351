// `failover init`: writes an example of a file of groups, or prints the schema that such files have.
import { writeFileSync } from 'node:fs';
import { exampleFile } from '../../config/group-file/example.ts';
import { groupFileSchema } from '../../config/group-file/schema.ts';
import { FailoverError } from '../../errors.ts';
import { errnoOf } from '../../lease/file/storage-error.ts';
import { packageFile } from '../../package-file.ts';
import { note, say } from '../say.ts';

/** Where an editor finds the schema of this version. */
const SCHEMA_FILE: string = packageFile('dist/bundle/failover.schema.json');

/** @throws FAILOVER_USAGE when something is there already, or the file can't be made */
export function init({ file, force }: { readonly file: string; readonly force: boolean }): void {
  try {
    writeFileSync(file, exampleFile(SCHEMA_FILE), { flag: force ? 'w' : 'wx' });
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === null) throw error;
    throw new FailoverError('FAILOVER_USAGE', `Cannot write ${file}: ${FACTS[errno] ?? errno}`, {
      cause: error,
      hint:
        errno === 'EEXIST'
          ? 'Choose another name, or use --force to overwrite the file.'
          : 'Give another.',
    });
  }
  say(`wrote ${file}`);
  note(
    `validate it with \`failover up --check -f ${file}\`, run it with \`failover up -f ${file}\``,
  );
}

const FACTS: Readonly<Record<string, string>> = {
  EEXIST: 'the file exists',
  ENOENT: 'its directory does not exist',
  EACCES: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the file system',
  EISDIR: 'it is a directory',
};

/** Of files of groups, on stdout. */
export function printSchema(): void {
  process.stdout.write(`${JSON.stringify(groupFileSchema(), null, 2)}\n`);
}
