// `failover completion`: prints what makes a shell complete this program's command lines.
import { SHELLS, completionScript } from '../completion/scripts.ts';
import type { Shell } from '../completion/scripts.ts';

/** The parser lets no other through: which it knows is said there, as it loads nothing of this. */
export function shellNamed(name: string): Shell {
  const shell = SHELLS.find((known) => known === name);
  if (shell === undefined) throw new Error(`no shell is called ${name}`);
  return shell;
}

export function completion(shell: Shell): void {
  process.stdout.write(completionScript(shell));
}
