import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { createApp, openReading, type App, type AppOptions, type Reading } from '../app.ts';
import type { Config } from '../config/config.ts';
import type { Encoder } from '../engine/ports.ts';
import { listNearMisses, loadConfig, type ConfigSources } from '../config/load.ts';

/** What the commands share: `--config FILE` and one option a configuration field. */
export type ConfigArguments = Readonly<Record<string, string>>;

/** What a command has to do with; fields that only the rest requires need not be set. */
type Need = 'token' | 'kafka' | 'registry';

/** What is there in place of a required field that is of no use to a command. */
const unusedFields: Readonly<Record<Need, readonly [path: string, value: unknown]>> = {
  token: ['instagram.accessToken', []],
  kafka: ['kafka.brokers', []],
  registry: ['schemaRegistry.url', ''],
};

/** Reads the configuration of a command from its arguments and the environment. */
export function loadCommandConfig(
  given: ConfigArguments,
  needs: readonly Need[] = ['token', 'kafka', 'registry'],
  env = process.env,
): Config {
  const unused = Object.entries(unusedFields).filter(([need]) => !needs.includes(need as Need));
  const values = Object.fromEntries(unused.map(([, field]) => field));
  return loadConfig({ ...sourcesOf(given), env, unused: values });
}

/** Where a command's configuration comes from. */
export function sourcesOf({ config: configFile, ...args }: ConfigArguments): ConfigSources {
  return { env: process.env, args, ...(configFile === undefined ? {} : { configFile }) };
}

/** The program for a configuration, named after this machine. */
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

/** What reads and encodes for a configuration, but has nowhere to publish to. */
export function openReader(
  config: Config,
  encoder: Encoder,
  options: Pick<AppOptions, 'observer' | 'onUsage' | 'logDestination'>,
): Reading {
  return openReading(config, { ...options, version: readVersion(), hostName: hostname() }, encoder);
}

/** The version in package.json. */
export function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
