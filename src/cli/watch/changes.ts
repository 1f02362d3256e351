// The changes that are made from the live view: by the commands themselves, which tell it how they went.
import { parseDuration } from '../../config/duration.ts';
import type { ClientOptions } from '../../config/load.ts';
import { FailoverError } from '../../errors.ts';
import { withAdvice } from '../advised.ts';
import { CHANGE_TIME } from '../deadline.ts';
import type { Voice } from '../say.ts';
import type { Change, Message } from './view.ts';

/** Makes a change; resolves with how it went, also where it could not be made. `tell`: what is said meanwhile. */
export async function makeChange(
  change: Change,
  options: ClientOptions,
  tell: (message: Message) => void,
): Promise<Message> {
  const said: string[] = [];
  const voice: Voice = {
    say: (text) => said.push(text),
    note: (text) => {
      said.push(text);
      tell({ tone: 'busy', text });
    },
  };
  try {
    await perform(change, options, voice);
    return { tone: 'good', text: said.join(' ') };
  } catch (error) {
    const failure = withAdvice(error, options);
    if (!(failure instanceof FailoverError)) throw error;
    return { tone: 'bad', text: `${failure.message}. ${failure.hint}` };
  }
}

async function perform(change: Change, options: ClientOptions, voice: Voice): Promise<void> {
  const timeoutMs = parseDuration(CHANGE_TIME, '--timeout');
  switch (change.kind) {
    case 'promote': {
      const { promote } = await import('../commands/promote.ts');
      const { node, force } = change;
      await promote({ ...options, node, force, timeoutMs }, voice);
      return;
    }
    case 'demote': {
      const { demote } = await import('../commands/demote.ts');
      await demote({ ...options, node: change.node, holdMs: null, timeoutMs }, voice);
      return;
    }
    case 'pause': {
      const { pause } = await import('../commands/pause.ts');
      await pause(options, voice);
      return;
    }
    case 'resume': {
      const { resume } = await import('../commands/resume.ts');
      await resume(options, voice);
    }
  }
}
