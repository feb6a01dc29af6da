import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { createApp } from '../app.ts';
import type { App } from '../app.ts';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';

/** What the commands share: `--config FILE` and one option a configuration field. */
export type ConfigArguments = Readonly<Record<string, string>>;

/** Reads the configuration of a command from its arguments and the environment. */
export function loadCommandConfig(given: ConfigArguments): Config {
  return load(given, process.env);
}

/** The same for a command that asks nothing of the API, and so needs no token. */
export function loadOfflineConfig(given: ConfigArguments): Config {
  const token = 'INSTAGRAM_ACCESS_TOKEN';
  const isGiven = token in process.env || `${token}_FILE` in process.env;
  return load(given, isGiven ? process.env : { ...process.env, [token]: 'not-needed' });
}

function load(given: ConfigArguments, env: NodeJS.ProcessEnv): Config {
  const { config: configFile, ...args } = given;
  return loadConfig({
    env,
    args,
    ...(configFile === undefined ? {} : { configFile }),
  });
}

/** The program for a configuration, named after this machine. */
export function openApp(config: Config): App {
  return createApp(config, { version: readVersion(), hostName: hostname() });
}

/** The version in package.json. */
export function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
