import type { ExitCode } from '../engine/errors.ts';
import { jsonText, untilStopped, type CommandDefinition, type Invocation } from './command.ts';
import { loadCommandConfig, withQuietLog } from './context.ts';
import { openApp } from './open-app.ts';
import { pollAndReport } from './once-report.ts';

export const onceCommand: CommandDefinition = {
  usage: 'once',
  about: 'poll every enabled stream once and exit; logs to standard output',
  examples: [
    'once',
    'once --config instagram.json --strict',
    'once --streams media,media_insights --json > summary.json',
  ],
  exits: {
    0: 'every poll succeeded, or stopped by SIGTERM or SIGINT',
    1: 'an error within the program, or a stop that took too long',
    3: 'a poll failed, or Kafka, the registry or the API rejected a request or was unavailable',
    4: 'with --strict: every poll succeeded, but something was dead-lettered or skipped',
  },
  options: [
    ['--strict', 'end with 4 when something was dead-lettered or skipped'],
    ['--json', 'print a JSON summary; the log goes to standard error'],
  ],
  run: once,
};

function once({ options, settings }: Invocation<{ strict?: boolean }>): Promise<ExitCode> {
  const { strict, json = false } = options;
  const loaded = loadCommandConfig(settings);
  const isWatched = process.stdout.isTTY && process.stderr.isTTY;
  const config = isWatched ? withQuietLog(loaded) : loaded;
  return untilStopped(config.polling.shutdownGraceMs, async (signal) => {
    const { summary, exitCode } = await pollAndReport(
      async (observer) => {
        // Closes the program before the result is printed, so that its last log lines precede it.
        await using app = openApp(config, {
          observer,
          ...(json && { logDestination: process.stderr }),
        });
        return await app.once(signal);
      },
      { strict },
    );
    if (json) process.stdout.write(jsonText(summary));
    return exitCode;
  });
}
