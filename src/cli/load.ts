import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { createApp, openReading, type App, type AppOptions, type Reading } from '../app.ts';
import type { Config } from '../config/config.ts';
import type { Encoder } from '../engine/ports.ts';
import { listNearMisses, loadConfig, type ConfigSources } from '../config/load.ts';

/** Arguments of every command: `--config FILE` and one option per configuration field. */
export type ConfigArguments = Readonly<Record<string, string>>;

/**
 * A part of the program that a command uses; fields that only other parts require may be absent.
 */
type Need = 'token' | 'kafka' | 'registry';

/** Placeholders for required fields that a command does not use. */
const unusedFields: Readonly<Record<Need, readonly [path: string, value: unknown]>> = {
  token: ['instagram.accessToken', []],
  kafka: ['kafka.brokers', []],
  registry: ['schemaRegistry.url', ''],
};

/** Reads the configuration of a command from its arguments and the environment. */
export function loadCommandConfig(
  args: ConfigArguments,
  needs: readonly Need[] = ['token', 'kafka', 'registry'],
  env = process.env,
): Config {
  const unused = Object.entries(unusedFields).filter(([need]) => !needs.includes(need as Need));
  const values = Object.fromEntries(unused.map(([, field]) => field));
  return loadConfig({ ...sourcesOf(args), env, unused: values });
}

/** Returns the sources of a command's configuration. */
export function sourcesOf({ config: configFile, ...args }: ConfigArguments): ConfigSources {
  return { env: process.env, args, ...(configFile === undefined ? {} : { configFile }) };
}

/** Creates the program for a configuration; the instance is named after this machine. */
export function openApp(
  config: Config,
  options: Pick<AppOptions, 'observer' | 'logDestination'> = {},
): App {
  const app = createApp(config, { ...options, version: readVersion(), hostName: hostname() });
  for (const { name, nearest } of listNearMisses(process.env)) {
    app.log.warn({ variable: name, nearest }, 'environment variable unknown');
  }
  return app;
}

/** Creates a reader and encoder for a configuration, without a publisher. */
export function openReader(
  config: Config,
  encoder: Encoder,
  options: Pick<AppOptions, 'observer' | 'onUsage' | 'logDestination'>,
): Reading {
  return openReading(config, { ...options, version: readVersion(), hostName: hostname() }, encoder);
}

/** Reads the version from package.json. */
export function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
