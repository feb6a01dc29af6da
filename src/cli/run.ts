import type { ExitCode } from '../core/errors.ts';
import type { ConfigArguments } from './load.ts';
import { loadCommandConfig, openApp } from './load.ts';
import { listenForStop } from './stop-signals.ts';

/** `run`: polls for ever, until SIGTERM or SIGINT. */
export async function run(args: ConfigArguments): Promise<ExitCode> {
  const config = loadCommandConfig(args);
  using stop = listenForStop(config.polling.shutdownGraceMs);
  await using app = openApp(config);
  stop.signal.addEventListener('abort', () => {
    const reason: unknown = stop.signal.reason;
    app.log.info({ reason: String(reason) }, 'stopping');
  });
  try {
    await app.run(stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
  app.log.info({}, 'stopped');
  return 0;
}
