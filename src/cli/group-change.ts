// The changes of a group that somebody asks for over HTTP: the commands of that name, heard instead of printed.
import type { ClientOptions } from '../config/load.ts';
import type { ChangeOrder, ChangeOutcome } from '../http/groups-source.ts';
import { withAdvice } from './advised.ts';
import { printable } from './render/plain.ts';
import type { Voice } from './say.ts';

/** @throws as the command */
export async function changeGroup(
  options: ClientOptions,
  order: ChangeOrder,
): Promise<ChangeOutcome> {
  const said: string[] = [];
  const notes: string[] = [];
  const voice: Voice = {
    say: (text) => {
      said.push(printable(text));
    },
    note: (text) => {
      notes.push(printable(text));
    },
  };
  try {
    await carryOut(options, order, voice);
  } catch (error) {
    throw withAdvice(error, options);
  }
  return { said, notes };
}

/** The code of a command is loaded when it is asked for. */
async function carryOut(
  options: ClientOptions,
  { change, node, force, holdMs, timeoutMs }: ChangeOrder,
  voice: Voice,
): Promise<void> {
  switch (change) {
    case 'promote': {
      const { promote } = await import('./commands/promote.ts');
      await promote({ ...options, node, force, timeoutMs }, voice);
      return;
    }
    case 'demote': {
      const { demote } = await import('./commands/demote.ts');
      await demote({ ...options, node, holdMs, timeoutMs }, voice);
      return;
    }
    case 'pause': {
      const { pause } = await import('./commands/pause.ts');
      await pause(options, voice);
      return;
    }
    case 'resume': {
      const { resume } = await import('./commands/resume.ts');
      await resume(options, voice);
      return;
    }
  }
}
