import type { Config } from '../src/config/config.ts';
import { loadConfig } from '../src/config/load.ts';

/** Returns the configuration by the defaults, with the required fields filled in. */
export function defaultConfig(streams = 'default'): Config {
  const env = {
    INSTAGRAM_ACCESS_TOKEN: 'none',
    KAFKA_BROKERS: 'localhost:9092',
    SCHEMA_REGISTRY_URL: 'http://localhost:8081',
    STREAMS: streams,
  };
  return loadConfig({ env, args: {} });
}
