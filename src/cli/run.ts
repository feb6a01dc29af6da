import type { Command } from 'commander';
import type { ExitCode } from '../core/errors.ts';
import { stoppable } from './exit-codes.ts';
import type { ConfigArguments } from './load.ts';
import { watchConfigFile } from './config-watch.ts';
import { loadCommandConfig, openApp, sourcesOf } from './load.ts';
import type { Options } from './own-options.ts';
import { addOwnCommand, settingsOf } from './own-options.ts';
import { listenForStop } from './stop-signals.ts';

/** Adds `run`. */
export function addRunCommand(root: Command, end: (code: ExitCode) => void): void {
  addOwnCommand(root, {
    usage: 'run',
    about: 'poll every enabled stream on its interval, until SIGTERM or SIGINT',
    examples: [
      'run',
      'run --config instagram.json --log-level debug',
      'run --streams default,user_daily_totals --stream-media-interval 1h',
    ],
    exits: {
      0: 'stopped as asked',
      1: 'an error within the program, or a stop that took too long',
      3: 'something outside refused and no waiting will mend it',
      ...stoppable,
    },
  }).action(async (options: Options) => {
    end(await run(settingsOf(options, [])));
  });
}

/** `run`: polls for ever, until SIGTERM or SIGINT. */
async function run(args: ConfigArguments): Promise<ExitCode> {
  const config = loadCommandConfig(args);
  using stop = listenForStop(config.polling.shutdownGraceMs);
  await using app = openApp(config);
  stop.signal.addEventListener('abort', () => {
    app.log.info({ reason: (stop.signal.reason as Error).message }, 'stopping');
  });
  void watchConfigFile(sourcesOf(args), app, { signal: stop.signal });
  try {
    await app.run(stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
  app.log.info({}, 'stopped');
  return 0;
}
