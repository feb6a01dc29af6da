import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { createApp, openReading } from '../app.ts';
import type { App, AppOptions, Reading } from '../app.ts';
import type { Config } from '../config/config.ts';
import type { Encoder } from '../runtime/ports.ts';
import { listNearMisses, loadConfig, type ConfigSources } from '../config/load.ts';

/** What the commands share: `--config FILE` and one option a configuration field. */
export type ConfigArguments = Readonly<Record<string, string>>;

/** Reads the configuration of a command from its arguments and the environment. */
export function loadCommandConfig(given: ConfigArguments): Config {
  return load(given, []);
}

/** The same for a command that asks nothing of the API, and so needs no token. */
export function loadOfflineConfig(given: ConfigArguments): Config {
  return load(given, [token]);
}

/** The same for a command that needs no Kafka and no registry either, but perhaps a token. */
export function loadLocalConfig(given: ConfigArguments, needs: 'token' | 'nothing'): Config {
  return load(given, needs === 'token' ? [brokers, registry] : [token, brokers, registry]);
}

/** The same for `login`, which makes the token: the file that would hold it need not be there. */
export function loadLoginConfig(given: ConfigArguments): Config {
  const env = { ...process.env };
  delete env['INSTAGRAM_ACCESS_TOKEN_FILE'];
  const standIns = { ...token, ...brokers, ...registry };
  return loadConfig({ ...sourcesOf(given), env, standIns });
}

/** The same for a command that asks the registry alone. */
export function loadRegistryConfig(given: ConfigArguments): Config {
  return load(given, [token, brokers]);
}

const token = { INSTAGRAM_ACCESS_TOKEN: 'not-needed' };
const brokers = { KAFKA_BROKERS: 'not-needed:9092' };
const registry = { SCHEMA_REGISTRY_URL: 'http://not-needed:8081' };

/** Where a command's configuration comes from. */
export function sourcesOf({ config: configFile, ...args }: ConfigArguments): ConfigSources {
  return { env: process.env, args, ...(configFile === undefined ? {} : { configFile }) };
}

function load(given: ConfigArguments, unneeded: readonly Readonly<Record<string, string>>[]) {
  const standIns = Object.assign({}, ...unneeded) as Readonly<Record<string, string>>;
  return loadConfig({ ...sourcesOf(given), standIns });
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
