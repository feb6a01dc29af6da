import { createApp, type App, type AppOptions } from '../app.ts';
import type { Config } from '../config/config.ts';
import { listNearMisses } from '../config/load.ts';
import { thisInstance } from './context.ts';

/** Creates the program for a configuration; the instance is named after this machine. */
export function openApp(
  config: Config,
  options: Pick<AppOptions, 'observer' | 'logDestination'> = {},
): App {
  const app = createApp(config, { ...options, ...thisInstance() });
  for (const { name, nearest } of listNearMisses(process.env)) {
    app.log.warn({ variable: name, nearest }, 'environment variable unknown');
  }
  return app;
}
