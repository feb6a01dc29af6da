import type { ExitCode } from '../engine/errors.ts';
import { type CommandDefinition, type Invocation } from './command.ts';
import { watchConfigFile } from './config-watch.ts';
import { loadCommandConfig, sourcesOf } from './context.ts';
import { openApp } from './open-app.ts';
import { listenForStop } from './stop-signals.ts';

export const runCommand: CommandDefinition = {
  usage: 'run',
  about: 'poll every enabled stream on its interval, until SIGTERM or SIGINT',
  examples: [
    'run',
    'run --config instagram.json --log-level debug',
    'run --streams default,user_daily_totals --stream-media-interval 1h',
  ],
  exits: {
    0: 'stopped by SIGTERM or SIGINT',
    1: 'an error within the program, or a stop that took too long',
    3: 'Kafka, the registry or the API rejected the program, and a retry would not help',
  },
  run,
};

async function run({ settings }: Invocation): Promise<ExitCode> {
  const config = loadCommandConfig(settings);
  using stop = listenForStop(config.polling.shutdownGraceMs);
  await using app = openApp(config);
  stop.signal.addEventListener('abort', () => {
    app.log.info({ reason: (stop.signal.reason as Error).message }, 'stopping');
  });
  void watchConfigFile(sourcesOf(settings), app, { signal: stop.signal });
  try {
    await app.run(stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
  app.log.info({}, 'stopped');
  return 0;
}
