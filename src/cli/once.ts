import type { Command } from 'commander';
import type { ExitCode } from '../core/errors.ts';
import type { Ending } from '../runtime/once.ts';
import { stoppable } from './exit-codes.ts';
import type { ConfigArguments } from './load.ts';
import { loadCommandConfig, openApp } from './load.ts';
import { describeError } from './outcome.ts';
import type { Options } from './own-options.ts';
import { addOwnCommand, settingsOf } from './own-options.ts';
import { listenForStop } from './stop-signals.ts';

/** Adds `once`. */
export function addOnceCommand(root: Command, end: (code: ExitCode) => void): void {
  addOwnCommand(root, {
    usage: 'once',
    about: 'poll every enabled stream once and exit',
    examples: ['once', 'once --config instagram.json', 'once --streams media,media_insights'],
    exits: {
      0: 'every poll succeeded, or stopped as asked',
      1: 'an error within the program, or a stop that took too long',
      3: 'a poll failed, or something outside refused or stayed away',
      ...stoppable,
    },
  }).action(async (options: Options) => {
    end(await once(settingsOf(options, [])));
  });
}

/** `once`: polls every enabled stream of every account once; 3 when one of them failed. */
async function once(args: ConfigArguments): Promise<ExitCode> {
  const config = loadCommandConfig(args);
  using stop = listenForStop(config.polling.shutdownGraceMs);
  await using app = openApp(config);
  try {
    const { endings, problems } = await app.once(stop.signal);
    const failures = endings.filter(({ verdict }) => verdict.kind !== 'done');
    for (const line of [...problems, ...describeFailures(failures)]) {
      process.stderr.write(`${line}\n`);
    }
    return failures.length + problems.length === 0 ? 0 : 3;
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    return 0;
  }
}

/** One line per failure; a token's trouble is one trouble, whatever it stops. */
function describeFailures(failures: readonly Ending[]): readonly string[] {
  const lines = failures.map(({ job, verdict }) => {
    const why = 'error' in verdict ? describeError(verdict.error) : '';
    const where = verdict.kind === 'stop-account' ? '' : `${job.stream.name} of `;
    return `${where}account ${job.account.id}: ${why}`;
  });
  return [...new Set(lines)];
}
